import { expect, test } from "vitest";
import { cliCommand, cliName } from "../../restore/rds/command-line";

test.each([
  ["DBInstanceIdentifier", "db-instance-identifier"],
  ["EnableIAMDatabaseAuthentication", "enable-iam-database-authentication"],
  ["EnableCloudwatchLogsExports", "enable-cloudwatch-logs-exports"],
  ["CACertificateIdentifier", "ca-certificate-identifier"],
  ["MultiAZ", "multi-az"],
  ["PerformanceInsightsKMSKeyId", "performance-insights-kms-key-id"],
  ["ServerlessV2ScalingConfiguration", "serverless-v2-scaling-configuration"],
  ["DomainIAMRoleName", "domain-iam-role-name"],
  ["RestoreDBInstanceFromDBSnapshot", "restore-db-instance-from-db-snapshot"],
  ["RestoreDBClusterToPointInTime", "restore-db-cluster-to-point-in-time"],
])("%s is %s on the command line, as in AWS' reference", (name, written) => {
  expect(cliName(name)).toBe(written);
});

test("a call is typed with quotes where a shell needs them, and JSON where the shorthand has no form", () => {
  const tags = [
    { Key: "team", Value: "a b" },
    { Key: "cost", Value: "1" },
  ];
  expect(cliCommand("AddTagsToResource", { ResourceName: "it's", Tags: tags, Iops: 0, MultiAZ: false })).toBe(
    [
      "aws rds add-tags-to-resource",
      "--resource-name 'it'\\''s'",
      `--tags '{"Key":"team","Value":"a b"}' Key=cost,Value=1`,
      "--iops 0",
      "--no-multi-az",
    ].join(" \\\n  "),
  );
});
