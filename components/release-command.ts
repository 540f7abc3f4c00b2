import { local } from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import { childOf } from "./child";

/** A command and the release that it belongs to. */
export interface ReleaseCommandArgs {
  /** The release's id. It is part of the resource's name, so that another release runs the command again. */
  releaseId: string;
  command: string;
  environment: Record<string, pulumi.Input<string>>;
  /** The text for the command's standard input; default: empty. */
  stdin?: string;
  /** The longest run time of the command, as a duration in Pulumi's notation, such as `3m`. */
  timeout: string;
  /** Whether `pulumi up` shows the command's output; default: true. */
  shown?: boolean;
  /** Hooks of the command. Default: none. */
  hooks?: Pick<pulumi.CustomResourceOptions, "hooks">;
  /** Whether the command runs again when its own text changes within one release; default: true. */
  again?: boolean;
}

/** A command that runs once for each release, where `pulumi up` runs. If it fails, `up` ends with its error. */
export class ReleaseCommand extends pulumi.ComponentResource {
  /** The command's output, which is known once the command has succeeded. */
  readonly stdout: pulumi.Output<string>;

  constructor(name: string, args: ReleaseCommandArgs, opts?: pulumi.ComponentResourceOptions) {
    super("release:index:ReleaseCommand", name, {}, opts);
    const { releaseId, command, environment, stdin, timeout, shown = true, again = true, hooks = {} } = args;
    this.stdout = new local.Command(
      `${name}-${releaseId}`,
      {
        create: command,
        environment,
        ...(stdin === undefined ? {} : { stdin }),
        ...(shown ? {} : { logging: "none" as const }),
      },
      {
        ...childOf(this, opts),
        ignoreChanges: again ? [] : ["create", "stdin", "environment", "logging"],
        customTimeouts: { create: timeout },
        ...hooks,
      },
    ).stdout;
    this.registerOutputs({});
  }
}
