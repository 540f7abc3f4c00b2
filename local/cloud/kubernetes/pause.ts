/** Waits for this time or until the signal fires, whichever is first. */
export function pause(milliseconds: number, signal?: AbortSignal): Promise<void> {
  return new Promise((over) => {
    if (signal?.aborted || milliseconds <= 0) return over();
    const finish = () => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", finish);
      over();
    };
    const timer = setTimeout(finish, milliseconds);
    signal?.addEventListener("abort", finish, { once: true });
  });
}
