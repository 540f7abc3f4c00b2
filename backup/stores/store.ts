/** A place where dumps are kept: a bucket of S3 or of a store that speaks its protocol, or a folder of a volume. */
export interface Store {
  /** The store in messages, such as "the bucket notes-backups". */
  readonly title: string;
  /** Returns where a file is, for messages and outputs: `s3://bucket/prefix/file` or `pvc://claim/file`. */
  location(file: string): string;
  /** Reads a small file; undefined if there is none. */
  read(file: string): Promise<string | undefined>;
  /** Writes a small file, as a whole or not at all. */
  write(file: string, text: string): Promise<void>;
  /** Returns the size of a file in bytes; undefined if there is none. */
  size(file: string): Promise<number | undefined>;
  /** Reads a file piece by piece, so that it needn't fit into memory. */
  stream(file: string): Promise<AsyncIterable<Uint8Array>>;
  /** Lists the finished files of a folder by their names in it, without those of folders inside. */
  list(folder: string): Promise<string[]>;
  /** Removes a file; does nothing if there is none. */
  remove(file: string): Promise<void>;
  /**
   * Removes what runs that were killed have left unfinished in a folder.
   * @returns the number of files
   */
  removeUnfinished(folder: string): Promise<number>;
  /**
   * Begins to write a file, which exists only once it is finished.
   * @param mostBytes an upper bound of its size, as far as one is known
   */
  begin(file: string, mostBytes: number): Promise<Upload>;
}

/** A file that is being written. Exactly one of `finish` and `abort` ends it. */
export interface Upload {
  /** Takes the next piece. It resolves when there is room for another one, so it bounds the memory in use. */
  write(piece: Uint8Array): Promise<void>;
  /**
   * Finishes the file and compares what the store has with what was written.
   * @param checksum the sha-256 of everything that was written
   * @throws StoredDifferently if they differ
   */
  finish(checksum: Buffer): Promise<void>;
  /** Removes what was written. It is bounded in time, and never throws: the next run removes what is left. */
  abort(): Promise<void>;
}
