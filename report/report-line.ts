/** Begins the line with the report as JSON, in the log of a Job. No other line of the log begins so. */
export const REPORT_LINE = "REPORT ";
