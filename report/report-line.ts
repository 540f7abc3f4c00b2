/**
 * The beginning of the line in a Job's log that contains the report as JSON. No other line of the log begins with it.
 */
export const REPORT_LINE = "REPORT ";
