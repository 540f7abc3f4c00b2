import { NEWEST } from "../../embedded/majors";

/** Of `POSTGRES_MAJOR=13 npx vitest run test/migrator`; the newest otherwise. */
export const chosenMajor = Number(process.env["POSTGRES_MAJOR"] ?? NEWEST);
