import { reviewRelease } from "../../migrations/review";
export const x = reviewRelease;
