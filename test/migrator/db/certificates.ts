import { randomBytes } from "node:crypto";
import forge from "node-forge";

/** A certificate with its key, PEM. */
export interface Identity {
  readonly certificate: string;
  readonly key: string;
}

/** A certificate authority that exists for one test. */
export interface Authority extends Identity {
  /** @param hosts names and addresses of a server; none for a user */
  issue(name: string, hosts?: readonly string[]): Identity;
}

const BITS = 2048;

export function certificateAuthority(name: string): Authority {
  const keys = forge.pki.rsa.generateKeyPair(BITS);
  const own = certificateOf(name, keys.publicKey);
  own.setIssuer(own.subject.attributes);
  own.setExtensions([
    { name: "basicConstraints", cA: true, critical: true },
    { name: "keyUsage", keyCertSign: true, cRLSign: true, critical: true },
  ]);
  own.sign(keys.privateKey, forge.md.sha256.create());
  return {
    certificate: forge.pki.certificateToPem(own),
    key: forge.pki.privateKeyToPem(keys.privateKey),
    issue(subject, hosts = []) {
      const pair = forge.pki.rsa.generateKeyPair(BITS);
      const issued = certificateOf(subject, pair.publicKey);
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

function certificateOf(name: string, publicKey: forge.pki.PublicKey): forge.pki.Certificate {
  const certificate = forge.pki.createCertificate();
  certificate.publicKey = publicKey;
  certificate.serialNumber = `01${randomBytes(8).toString("hex")}`;
  certificate.validity.notBefore = new Date(Date.now() - 3_600_000);
  certificate.validity.notAfter = new Date(Date.now() + 24 * 3_600_000);
  certificate.setSubject([{ name: "commonName", value: name }]);
  return certificate;
}
