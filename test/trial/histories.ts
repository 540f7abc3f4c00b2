import { checksumOf, type Migration } from "../../migrations/history/history";

/** Makes a history of these texts; the names count from 20260101000001. */
export function historyOf(...texts: readonly string[]): Migration[] {
  return texts.map((sql, index) => ({ name: `2026010100000${index + 1}_step`, sql, checksum: checksumOf(sql) }));
}

/** The input of a trial of the last migration of a history. */
export function lastOf(history: readonly Migration[]) {
  return { history, applied: new Set(history.slice(0, -1).map(({ name }) => name)) };
}

export const NOTES = `
  CREATE TABLE users (id INT PRIMARY KEY, email TEXT);
  CREATE TABLE notes (id INT PRIMARY KEY, user_id INT, title TEXT);`;
