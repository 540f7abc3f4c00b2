import { local } from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";

/** A command, and the release that it belongs to. */
export interface ReleaseCommandArgs {
  /** Stands in the command's name: another release runs the command again. */
  releaseId: string;
  command: string;
  environment: Record<string, pulumi.Input<string>>;
  /** Default: nothing. */
  stdin?: string;
  /** How long the command may take, as Pulumi writes a duration. */
  timeout: string;
  /** Whether what it prints is shown; default: true. */
  shown?: boolean;
  /** Run again when the command itself changes within one release; default: true. */
  again?: boolean;
}

/** A command that runs once a release, where `pulumi up` runs. When it fails, `up` ends with its error. */
export class ReleaseCommand extends pulumi.ComponentResource {
  /** What the command printed; known once it has succeeded. */
  readonly stdout: pulumi.Output<string>;

  constructor(name: string, args: ReleaseCommandArgs, opts?: pulumi.ComponentResourceOptions) {
    super("release:index:ReleaseCommand", name, {}, opts);
    const { releaseId, command, environment, stdin, timeout, shown = true, again = true } = args;
    this.stdout = new local.Command(
      `${name}-${releaseId}`,
      {
        create: command,
        environment,
        ...(stdin === undefined ? {} : { stdin }),
        ...(shown ? {} : { logging: "none" as const }),
      },
      {
        parent: this,
        // A component's dependsOn is not its children's.
        dependsOn: opts?.dependsOn ?? [],
        ignoreChanges: again ? [] : ["create", "stdin", "environment", "logging"],
        customTimeouts: { create: timeout },
      },
    ).stdout;
    this.registerOutputs({});
  }
}
