import type { Json } from "../cloud/provider";
import type { EngineEvent, Operation, StepEvent, Summary } from "../engine/events";
import { isDefaultProvider, isProviderType, STACK_TYPE, urnName, urnType } from "../engine/urn";

/** The fields of one line of `pulumi … --json` that are used here (sdk/go/common/apitype/events.go). */
export interface CliEvent {
  diagnosticEvent?: { urn?: string; message: string; severity: string; ephemeral?: boolean };
  resourcePreEvent?: { metadata: StepMetadata };
  resOutputsEvent?: { metadata: StepMetadata };
  resOpFailedEvent?: { metadata: StepMetadata };
  summaryEvent?: { resourceChanges?: Partial<Record<Operation, number>>; result?: string };
}

interface StepMetadata {
  op: Operation;
  urn: string;
  type: string;
  detailedDiff?: Record<string, { diffKind: string }> | null;
  diffs?: string[];
  old?: StateMetadata | null;
  new?: StateMetadata | null;
}

interface StateMetadata {
  custom?: boolean;
  retainOnDelete?: boolean;
  outputs?: Record<string, Json>;
}

/** The result of a run of the CLI, collected from its events. */
export interface Told {
  errors: string[];
  summary: Summary["summary"];
  /** The outputs of the stack in its last event. */
  outputs?: Record<string, Json>;
}

/**
 * Converts the CLI's events to those of the embedded engine. Steps that change nothing are left out, and so are
 * components and providers in a refresh. The times are those at which the events arrived, because the CLI only reports
 * whole seconds.
 */
export class CliEvents {
  readonly told: Told = { errors: [], summary: {} };
  private readonly open = new Map<string, StepEvent>();
  private readonly reasons = new Map<string, string[]>();
  private steps = 0;

  constructor(private readonly emit: (event: EngineEvent) => void) {}

  line(text: string): void {
    let event: CliEvent;
    try {
      event = JSON.parse(text) as CliEvent;
    } catch {
      // A line that is not an event is a message for the user.
      if (text.trim() !== "") this.emit({ kind: "diagnostic", severity: "info", message: text });
      return;
    }
    if (event.diagnosticEvent) this.diagnostic(event.diagnosticEvent);
    if (event.resourcePreEvent) this.started(event.resourcePreEvent.metadata);
    if (event.resOutputsEvent) this.succeeded(event.resOutputsEvent.metadata);
    if (event.resOpFailedEvent) this.failed(event.resOpFailedEvent.metadata);
    if (event.summaryEvent) this.told.summary = event.summaryEvent.resourceChanges ?? {};
  }

  private diagnostic({ urn, message, severity, ephemeral }: NonNullable<CliEvent["diagnosticEvent"]>): void {
    const kind = severity === "info#err" ? "info" : severity;
    if (ephemeral || !isSeverity(kind)) return;
    const text = message.trimEnd();
    // That the plugins come from PATH is intended. "update failed" repeats the error of the failed step.
    if (text === "" || /^using pulumi-resource-\S+ from \$PATH/.test(text) || /^update failed$/.test(text)) return;
    if (kind === "error") {
      this.told.errors.push(text);
      if (urn && this.isOpen(urn)) {
        this.reasons.set(urn, [...(this.reasons.get(urn) ?? []), text]);
        return;
      }
    }
    this.emit({ kind: "diagnostic", severity: kind, message: text, ...(urn ? { urn } : {}) });
  }

  private started(metadata: StepMetadata): void {
    const { op, urn } = metadata;
    const state = metadata.new ?? metadata.old;
    if (op === "same" || op === "remove-pending-replace" || isDefaultProvider(urn)) return;
    if (op === "refresh" && (!state?.custom || isProviderType(metadata.type))) return;
    this.steps += 1;
    const event: StepEvent = {
      kind: "step",
      step: this.steps,
      type: urnType(urn),
      name: urnName(urn),
      urn,
      op,
      status: "started",
      startedAt: new Date().toISOString(),
    };
    const detailed = Object.entries(metadata.detailedDiff ?? {});
    const paths = detailed.map(([path]) => path);
    const replaces = detailed.filter(([, { diffKind }]) => diffKind.endsWith("-replace")).map(([path]) => path);
    if (paths.length > 0) event.diffs = paths;
    if (replaces.length > 0) event.replaces = replaces;
    if (op.startsWith("delete") && metadata.old?.retainOnDelete) event.retained = true;
    this.open.set(key(urn, op), event);
    this.emit({ ...event });
  }

  private succeeded({ op, urn, type, new: next }: StepMetadata): void {
    if (type === STACK_TYPE && next?.outputs) this.told.outputs = next.outputs;
    // The CLI ends a refresh with an event whose operation is the result of the refresh.
    const event = this.take(urn, op) ?? this.take(urn, "refresh");
    if (!event) return;
    const found = event.op === "refresh" && (op === "update" || op === "delete") ? op : "same";
    this.end(event, { status: "succeeded", ...(event.op === "refresh" ? { found } : {}) });
  }

  private failed({ op, urn }: StepMetadata): void {
    const event = this.take(urn, op) ?? this.take(urn, "refresh");
    if (!event) return;
    this.end(event, { status: "failed", error: (this.reasons.get(urn) ?? []).join("\n") });
    this.reasons.delete(urn);
  }

  private end(event: StepEvent, more: Partial<StepEvent>): void {
    this.emit({ ...event, ...more, endedAt: new Date().toISOString() });
  }

  private isOpen(urn: string): boolean {
    return [...this.open.values()].some((event) => event.urn === urn);
  }

  private take(urn: string, op: Operation): StepEvent | undefined {
    const event = this.open.get(key(urn, op));
    this.open.delete(key(urn, op));
    return event;
  }
}

function key(urn: string, op: Operation): string {
  return `${op} ${urn}`;
}

function isSeverity(text: string): text is "info" | "warning" | "error" {
  return ["info", "warning", "error"].includes(text);
}
