import type { Scenario } from "../scenario";

/** The steps at which a release is killed, by the line that its progress shows. */
const STEPS = {
  "the preflight Job": /\+ Job +notes-preflight-\w+ +creating/,
  "the snapshot": /\+ Snapshot +\S+ +creating/,
  "the rehearsal": /Job notes-rehearsal-\w+: deploy/,
  "the migration Job": /\+ Job +notes-migrate-\w+ +creating/,
  "the rollout": /~ Deployment +notes +updating/,
};

/** `up` is killed, which prints nothing: `status` says how to go on. */
export const killed: readonly Scenario[] = Object.entries(STEPS).map(([step, begins]) => ({
  name: `\`up\` is killed in ${step}`,
  async provoke(stage) {
    if (step === "the rehearsal") stage.set("rehearsal.mode", "copy");
    stage.newMigration("CREATE TABLE drill_killed (id int);\nDROP TABLE drill_killed;\n");
    stage.newImage();
    await stage.killedAt(begins);
    return (await stage.cli.run("status")).stdout;
  },
  says: /last +up was killed|last +up/,
  label: "next",
}));
