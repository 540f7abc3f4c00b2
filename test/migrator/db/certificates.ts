import { randomBytes } from "node:crypto";
import forge from "node-forge";

/** A certificate with its key, PEM. */
export interface Identity {
  readonly certificate: string;
  readonly key: string;
}

/** Days from now; default: from an hour ago for a day. */
export interface Validity {
  readonly from?: number;
  readonly to?: number;
}

/** A certificate authority that exists for one test. */
export interface Authority extends Identity {
  /** @param hosts names and addresses of a server; none for a user */
  issue(name: string, hosts?: readonly string[], validity?: Validity): Identity;
}

const BITS = 2048;

export function certificateAuthority(name: string, validity?: Validity): Authority {
  const keys = forge.pki.rsa.generateKeyPair(BITS);
  const own = certificateOf(name, keys.publicKey, validity);
  own.setIssuer(own.subject.attributes);
  own.setExtensions([
    { name: "basicConstraints", cA: true, critical: true },
    { name: "keyUsage", keyCertSign: true, cRLSign: true, critical: true },
  ]);
  own.sign(keys.privateKey, forge.md.sha256.create());
  return {
    certificate: forge.pki.certificateToPem(own),
    key: forge.pki.privateKeyToPem(keys.privateKey),
    issue(subject, hosts = [], validity = {}) {
      const pair = forge.pki.rsa.generateKeyPair(BITS);
      const issued = certificateOf(subject, pair.publicKey, validity);
      issued.setIssuer(own.subject.attributes);
      const altNames = hosts.map((host) => (/^[\d.]+$/.test(host) ? { type: 7, ip: host } : { type: 2, value: host }));
      issued.setExtensions([
        { name: "basicConstraints", cA: false },
        { name: "extKeyUsage", serverAuth: hosts.length > 0, clientAuth: hosts.length === 0 },
        ...(hosts.length > 0 ? [{ name: "subjectAltName", altNames }] : []),
      ]);
      issued.sign(keys.privateKey, forge.md.sha256.create());
      return {
        certificate: forge.pki.certificateToPem(issued),
        key: forge.pki.privateKeyToPem(pair.privateKey),
      };
    },
  };
}

/** A certificate that its own key has signed, as `openssl req -x509` makes it. */
export function selfSigned(name: string): Identity {
  const keys = forge.pki.rsa.generateKeyPair(BITS);
  const own = certificateOf(name, keys.publicKey);
  own.setIssuer(own.subject.attributes);
  own.setExtensions([{ name: "basicConstraints", cA: true, critical: true }]);
  own.sign(keys.privateKey, forge.md.sha256.create());
  return { certificate: forge.pki.certificateToPem(own), key: forge.pki.privateKeyToPem(keys.privateKey) };
}

/** As Prisma's `sslidentity` wants it: a PKCS#12 file. */
export function pkcs12({ certificate, key }: Identity, password: string): Buffer {
  const packed = forge.pkcs12.toPkcs12Asn1(
    forge.pki.privateKeyFromPem(key),
    forge.pki.certificateFromPem(certificate),
    password,
    // The default is of a kind that OpenSSL 3 reads no more.
    { algorithm: "aes256" },
  );
  return Buffer.from(forge.asn1.toDer(packed).getBytes(), "binary");
}

const DAY = 24 * 3_600_000;

function certificateOf(
  name: string,
  publicKey: forge.pki.PublicKey,
  { from = -1 / 24, to = 1 }: Validity = {},
): forge.pki.Certificate {
  const certificate = forge.pki.createCertificate();
  certificate.publicKey = publicKey;
  certificate.serialNumber = `01${randomBytes(8).toString("hex")}`;
  certificate.validity.notBefore = new Date(Date.now() + from * DAY);
  certificate.validity.notAfter = new Date(Date.now() + to * DAY);
  certificate.setSubject([{ name: "commonName", value: name }]);
  return certificate;
}
