import type { Story } from "../scenario";
import { BROKEN, FAILING_MIGRATION, FIRST_RELEASE } from "./steps";

export const consumer: Story = {
  name: "consumer: a stack that reads the outputs",
  scenarios: [
    {
      name: "a consumer before the producer's first release",
      command: { verb: "up", program: "consumer" },
      ok: false,
      steps: [],
    },
    { name: "the producer's first release", command: { verb: "up" }, ok: true, steps: FIRST_RELEASE },
    {
      name: "the consumer reads it",
      command: { verb: "up", program: "consumer" },
      ok: true,
      steps: ["create ConfigMap"],
    },
    {
      name: "a failed release of the producer",
      before: (stage) => stage.migration("20260401000000_half", BROKEN),
      command: { verb: "up" },
      ok: false,
      steps: FAILING_MIGRATION,
    },
    {
      name: "changes nothing for the consumer",
      command: { verb: "up", program: "consumer" },
      ok: true,
      steps: [],
    },
  ],
};
