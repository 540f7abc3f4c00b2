import { beforeAll, describe, expect, test } from "vitest";
import { checksumOf } from "../../../migrations/history/history";
import { loadParser, parseScript } from "../../../migrations/sql/parse";
import { subcommands } from "../../../migrations/statements/alter-table";
import { drops as dropped } from "../../../migrations/statements/drop";
import type { Opinion } from "../../../migrations/statements/family";
import { statements as known } from "../../../migrations/statements/statements";
import { reviewRelease } from "../../../review/review";

beforeAll(() => loadParser());

const migration = (name: string, sql: string) => ({ name, sql, checksum: checksumOf(sql) });
const base = migration(
  "1_base",
  `CREATE TABLE t (id INT PRIMARY KEY, a TEXT NOT NULL DEFAULT 'x', b TEXT, e INT, g INT GENERATED ALWAYS AS (e) STORED, CONSTRAINT c CHECK (e > 0));
   CREATE TABLE r (id INT PRIMARY KEY, t INT REFERENCES t (id));
   CREATE INDEX i ON t (b); CREATE VIEW v AS SELECT a FROM t; CREATE MATERIALIZED VIEW m AS SELECT a FROM t;
   CREATE TABLE p (k INT) PARTITION BY RANGE (k); CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (9); CREATE TABLE q (k INT);
   CREATE DOMAIN d AS INT; CREATE TABLE u (d d); CREATE TYPE en AS ENUM ('a'); CREATE TABLE w (en en); CREATE SEQUENCE s;
   ALTER TABLE t ENABLE ROW LEVEL SECURITY; CREATE POLICY po ON t USING (true);`,
);
/** What a release of this statement is told, beyond its locks: rules with their severity, squawk left out. */
function told(sql: string): string[] {
  const review = reviewRelease({ history: [base, migration("2_new", `${sql};`)], applied: [base] });
  return review.findings.map(({ rule, severity }) => `${rule} ${severity}`);
}

/** One statement of each kind; nothing where the kind is only a part of other statements. */
const statements: Record<keyof typeof known, string> = {
  AlterCollationStmt: "ALTER COLLATION x REFRESH VERSION",
  AlterDatabaseRefreshCollStmt: "ALTER DATABASE x REFRESH COLLATION VERSION",
  AlterDatabaseSetStmt: "ALTER DATABASE x SET search_path = app",
  AlterDatabaseStmt: "ALTER DATABASE x CONNECTION LIMIT 3",
  AlterDefaultPrivilegesStmt: "ALTER DEFAULT PRIVILEGES REVOKE ALL ON TABLES FROM x",
  AlterDomainStmt: "ALTER DOMAIN d ADD CHECK (VALUE > 0)",
  AlterEnumStmt: "ALTER TYPE en ADD VALUE 'b'",
  AlterEventTrigStmt: "ALTER EVENT TRIGGER x DISABLE",
  AlterExtensionContentsStmt: "ALTER EXTENSION x ADD TABLE t",
  AlterExtensionStmt: "ALTER EXTENSION x UPDATE",
  AlterFdwStmt: "ALTER FOREIGN DATA WRAPPER x NO HANDLER",
  AlterForeignServerStmt: "ALTER SERVER x OPTIONS (SET host 'y')",
  AlterFunctionStmt: "ALTER FUNCTION f() IMMUTABLE",
  AlterObjectDependsStmt: "ALTER FUNCTION f() DEPENDS ON EXTENSION x",
  AlterObjectSchemaStmt: "ALTER FUNCTION f() SET SCHEMA other",
  AlterOpFamilyStmt: "ALTER OPERATOR FAMILY x USING btree ADD FUNCTION 1 f(int, int)",
  AlterOperatorStmt: "ALTER OPERATOR + (int, int) SET (RESTRICT = NONE)",
  AlterOwnerStmt: "ALTER FUNCTION f() OWNER TO x",
  AlterPolicyStmt: "ALTER POLICY po ON t USING (false)",
  AlterPublicationStmt: "ALTER PUBLICATION x ADD TABLE t",
  AlterRoleSetStmt: "ALTER ROLE x SET search_path = app",
  AlterRoleStmt: "ALTER ROLE x NOLOGIN",
  AlterSeqStmt: "ALTER SEQUENCE s RESTART",
  AlterStatsStmt: "ALTER STATISTICS x SET STATISTICS 5",
  AlterSubscriptionStmt: "ALTER SUBSCRIPTION x DISABLE",
  AlterSystemStmt: "ALTER SYSTEM SET fsync = off",
  AlterTSConfigurationStmt: "ALTER TEXT SEARCH CONFIGURATION x DROP MAPPING FOR word",
  AlterTSDictionaryStmt: "ALTER TEXT SEARCH DICTIONARY x (a = b)",
  AlterTableMoveAllStmt: "ALTER TABLE ALL IN TABLESPACE a SET TABLESPACE b",
  AlterTableSpaceOptionsStmt: "ALTER TABLESPACE x SET (random_page_cost = 1)",
  AlterTableStmt: "ALTER TABLE t DROP COLUMN b",
  AlterTypeStmt: "ALTER TYPE x SET (STORAGE = plain)",
  AlterUserMappingStmt: "ALTER USER MAPPING FOR x SERVER y OPTIONS (SET user 'z')",
  CallStmt: "CALL f()",
  CheckPointStmt: "CHECKPOINT",
  ClosePortalStmt: "CLOSE c",
  ClusterStmt: "CLUSTER t USING i",
  CommentStmt: "COMMENT ON TABLE t IS 'x'",
  CompositeTypeStmt: "CREATE TYPE x AS (a int)",
  ConstraintsSetStmt: "SET CONSTRAINTS ALL DEFERRED",
  CopyStmt: "COPY t FROM STDIN",
  CreateAmStmt: "CREATE ACCESS METHOD x TYPE INDEX HANDLER f",
  CreateCastStmt: "CREATE CAST (int AS text) WITH INOUT AS IMPLICIT",
  CreateConversionStmt: "CREATE DEFAULT CONVERSION x FOR 'LATIN1' TO 'UTF8' FROM f",
  CreateDomainStmt: "CREATE DOMAIN x AS int",
  CreateEnumStmt: "CREATE TYPE x AS ENUM ('a')",
  CreateEventTrigStmt: "CREATE EVENT TRIGGER x ON ddl_command_end EXECUTE FUNCTION f()",
  CreateExtensionStmt: "CREATE EXTENSION x",
  CreateFdwStmt: "CREATE FOREIGN DATA WRAPPER x",
  CreateForeignServerStmt: "CREATE SERVER x FOREIGN DATA WRAPPER y",
  CreateForeignTableStmt: "CREATE FOREIGN TABLE x (a int) SERVER y",
  CreateFunctionStmt: "CREATE FUNCTION x() RETURNS int LANGUAGE sql AS 'SELECT 1'",
  CreateOpClassStmt: "CREATE OPERATOR CLASS x FOR TYPE int USING btree AS OPERATOR 1 <",
  CreateOpFamilyStmt: "CREATE OPERATOR FAMILY x USING btree",
  CreatePLangStmt: "CREATE LANGUAGE x HANDLER f",
  CreatePolicyStmt: "CREATE POLICY x ON t AS RESTRICTIVE USING (false)",
  CreatePublicationStmt: "CREATE PUBLICATION x FOR TABLE t",
  CreateRangeStmt: "CREATE TYPE x AS RANGE (subtype = int)",
  CreateRoleStmt: "CREATE ROLE x",
  CreateSchemaStmt: "CREATE SCHEMA x",
  CreateSeqStmt: "CREATE SEQUENCE x",
  CreateStatsStmt: "CREATE STATISTICS x ON a, b FROM t",
  CreateStmt: "CREATE TABLE x (a int)",
  CreateSubscriptionStmt: "CREATE SUBSCRIPTION x CONNECTION 'y' PUBLICATION z",
  CreateTableAsStmt: "CREATE TABLE x AS SELECT 1",
  CreateTableSpaceStmt: "CREATE TABLESPACE x LOCATION '/y'",
  CreateTransformStmt: "CREATE TRANSFORM FOR int LANGUAGE x (FROM SQL WITH FUNCTION f(internal))",
  CreateTrigStmt: "CREATE TRIGGER x AFTER INSERT ON t FOR EACH ROW EXECUTE FUNCTION f()",
  CreateUserMappingStmt: "CREATE USER MAPPING FOR x SERVER y",
  CreatedbStmt: "CREATE DATABASE x",
  DeallocateStmt: "DEALLOCATE x",
  DeclareCursorStmt: "DECLARE c CURSOR FOR SELECT 1",
  DefineStmt: "CREATE AGGREGATE x(int) (sfunc = f, stype = int)",
  DeleteStmt: "DELETE FROM t",
  DiscardStmt: "DISCARD PLANS",
  DoStmt: "DO $$ BEGIN EXECUTE 'x'; END $$",
  DropOwnedStmt: "DROP OWNED BY x",
  DropRoleStmt: "DROP ROLE x",
  DropStmt: "DROP TABLE u",
  DropSubscriptionStmt: "DROP SUBSCRIPTION x",
  DropTableSpaceStmt: "DROP TABLESPACE x",
  DropUserMappingStmt: "DROP USER MAPPING FOR x SERVER y",
  DropdbStmt: "DROP DATABASE x",
  ExecuteStmt: "EXECUTE x",
  ExplainStmt: "EXPLAIN ANALYZE DELETE FROM t",
  FetchStmt: "FETCH c",
  GrantRoleStmt: "REVOKE x FROM y",
  GrantStmt: "REVOKE ALL ON ALL TABLES IN SCHEMA public FROM x",
  ImportForeignSchemaStmt: "IMPORT FOREIGN SCHEMA x FROM SERVER y INTO z",
  IndexStmt: "CREATE INDEX x ON t (a)",
  InsertStmt: "INSERT INTO t SELECT id FROM r",
  ListenStmt: "LISTEN x",
  LoadStmt: "LOAD 'x'",
  LockStmt: "LOCK TABLE t",
  MergeStmt: "MERGE INTO t USING r ON r.id = t.id WHEN MATCHED THEN UPDATE SET a = 'x'",
  NotifyStmt: "NOTIFY x",
  PLAssignStmt: "",
  PrepareStmt: "PREPARE x AS SELECT 1",
  RawStmt: "",
  ReassignOwnedStmt: "REASSIGN OWNED BY x TO y",
  RefreshMatViewStmt: "REFRESH MATERIALIZED VIEW m",
  ReindexStmt: "REINDEX TABLE t",
  RenameStmt: "ALTER SCHEMA x RENAME TO y",
  ReplicaIdentityStmt: "",
  ReturnStmt: "",
  RuleStmt: "CREATE RULE x AS ON INSERT TO t DO ALSO NOTHING",
  SecLabelStmt: "SECURITY LABEL ON TABLE t IS 'x'",
  SelectStmt: "SELECT delete_everything()",
  SetOperationStmt: "",
  TransactionStmt: "BEGIN; CREATE TABLE x (a int); COMMIT",
  TruncateStmt: "TRUNCATE u",
  UnlistenStmt: "UNLISTEN x",
  UpdateStmt: "UPDATE t SET a = 'y'",
  VacuumStmt: "VACUUM FULL t",
  VariableSetStmt: "SET lock_timeout = 0",
  VariableShowStmt: "SHOW all",
  ViewStmt: "CREATE VIEW x AS SELECT 1",
};

/** Kinds with rules of their own that have nothing to say about a plain statement: it touches only what is new, or briefly locks. */
const quiet = new Set(
  "AlterPublicationStmt CommentStmt CreateForeignTableStmt CreatePublicationStmt CreateStatsStmt CreateStmt CreateTableAsStmt CreateTrigStmt LockStmt ViewStmt".split(
    " ",
  ),
);

function expectOpinion(kind: string, opinion: Opinion, found: readonly string[]): void {
  const notJudged = found.filter((rule) => rule === "not-judged warning");
  if (typeof opinion === "object") expect(notJudged, kind).toEqual(["not-judged warning"]);
  else if (opinion === "harmless" || quiet.has(kind)) expect(found, kind).toEqual([]);
  else expect(found, kind).not.toEqual([]);
}

describe("the review has an opinion on", () => {
  test.each(Object.entries(statements).filter(([, sql]) => sql !== ""))(
    "every %s, or says that it has none",
    (kind, sql) => {
      expect(Object.keys([...parseScript(sql)][0]!.node)).toEqual([kind]);
      expectOpinion(kind, known[kind as keyof typeof known].opinion, told(sql));
    },
  );

  test.each(alterations())("every %s, or says that it has none", (kind, command) => {
    const sql = command.startsWith("ALTER ") && / TABLE /.test(command) ? command : `ALTER TABLE t ${command}`;
    const { node } = [...parseScript(sql)][0]!;
    const cmds = "AlterTableStmt" in node ? (node.AlterTableStmt.cmds ?? []) : [];
    expect(cmds.flatMap((item) => ("AlterTableCmd" in item ? (item.AlterTableCmd.subtype ?? []) : []))).toEqual([kind]);
    expectOpinion(kind, subcommands[kind].opinion, told(sql));
  });

  test("every subcommand of ALTER TABLE that can be written", () => {
    const written = new Set(alterations().map(([kind]) => kind));
    const others = Object.entries(subcommands).filter(([kind]) => !written.has(kind as keyof typeof subcommands));
    expect(
      others.filter(
        ([, { opinion }]) => typeof opinion !== "object" || !/Postgres makes it itself/.test(opinion.unknown),
      ),
    ).toEqual([]);
  });

  test.each(drops())("DROP %s, or says that it has none", (kind, what) => {
    const { node } = [...parseScript(`DROP ${what}`)][0]!;
    expect("DropStmt" in node && node.DropStmt.removeType).toBe(kind);
    expectOpinion(kind, dropped[kind].opinion, told(`DROP ${what}`));
    // What hangs on it isn't known, and is dropped with it.
    if (dropped[kind].opinion === "harmless") expect(told(`DROP ${what} CASCADE`)).toEqual(["not-judged warning"]);
  });
});

function alterations(): [keyof typeof subcommands, string][] {
  return [
    ["AT_AddColumn", "ADD COLUMN x INT NOT NULL"],
    ["AT_ColumnDefault", "ALTER a DROP DEFAULT"],
    ["AT_DropNotNull", "ALTER a DROP NOT NULL"],
    ["AT_SetNotNull", "ALTER b SET NOT NULL"],
    ["AT_SetExpression", "ALTER g SET EXPRESSION AS (e + 1)"],
    ["AT_DropExpression", "ALTER g DROP EXPRESSION"],
    ["AT_SetStatistics", "ALTER a SET STATISTICS 5"],
    ["AT_SetOptions", "ALTER a SET (n_distinct = 5)"],
    ["AT_ResetOptions", "ALTER a RESET (n_distinct)"],
    ["AT_SetStorage", "ALTER a SET STORAGE PLAIN"],
    ["AT_SetCompression", "ALTER a SET COMPRESSION lz4"],
    ["AT_DropColumn", "DROP COLUMN b"],
    ["AT_AddConstraint", "ADD CHECK (e < 9)"],
    ["AT_AlterConstraint", "ALTER CONSTRAINT c NOT ENFORCED"],
    ["AT_ValidateConstraint", "VALIDATE CONSTRAINT unknown"],
    ["AT_DropConstraint", "DROP CONSTRAINT c"],
    ["AT_AlterColumnType", "ALTER e TYPE BIGINT"],
    ["AT_AlterColumnGenericOptions", "ALTER FOREIGN TABLE t ALTER a OPTIONS (x 'y')"],
    ["AT_ChangeOwner", "OWNER TO x"],
    ["AT_ClusterOn", "CLUSTER ON i"],
    ["AT_DropCluster", "SET WITHOUT CLUSTER"],
    ["AT_SetLogged", "SET LOGGED"],
    ["AT_SetUnLogged", "SET UNLOGGED"],
    ["AT_DropOids", "SET WITHOUT OIDS"],
    ["AT_SetAccessMethod", "SET ACCESS METHOD x"],
    ["AT_SetTableSpace", "SET TABLESPACE x"],
    ["AT_SetRelOptions", "SET (fillfactor = 70)"],
    ["AT_ResetRelOptions", "RESET (fillfactor)"],
    ["AT_EnableTrig", "ENABLE TRIGGER x"],
    ["AT_EnableAlwaysTrig", "ENABLE ALWAYS TRIGGER x"],
    ["AT_EnableReplicaTrig", "ENABLE REPLICA TRIGGER x"],
    ["AT_DisableTrig", "DISABLE TRIGGER x"],
    ["AT_EnableTrigAll", "ENABLE TRIGGER ALL"],
    ["AT_DisableTrigAll", "DISABLE TRIGGER ALL"],
    ["AT_EnableTrigUser", "ENABLE TRIGGER USER"],
    ["AT_DisableTrigUser", "DISABLE TRIGGER USER"],
    ["AT_EnableRule", "ENABLE RULE x"],
    ["AT_EnableAlwaysRule", "ENABLE ALWAYS RULE x"],
    ["AT_EnableReplicaRule", "ENABLE REPLICA RULE x"],
    ["AT_DisableRule", "DISABLE RULE x"],
    ["AT_AddInherit", "INHERIT q"],
    ["AT_DropInherit", "NO INHERIT q"],
    ["AT_AddOf", "OF x"],
    ["AT_DropOf", "NOT OF"],
    ["AT_ReplicaIdentity", "REPLICA IDENTITY NOTHING"],
    ["AT_EnableRowSecurity", "ENABLE ROW LEVEL SECURITY"],
    ["AT_DisableRowSecurity", "DISABLE ROW LEVEL SECURITY"],
    ["AT_ForceRowSecurity", "FORCE ROW LEVEL SECURITY"],
    ["AT_NoForceRowSecurity", "NO FORCE ROW LEVEL SECURITY"],
    ["AT_GenericOptions", "ALTER FOREIGN TABLE t OPTIONS (x 'y')"],
    ["AT_AttachPartition", "ALTER TABLE p ATTACH PARTITION q FOR VALUES FROM (10) TO (20)"],
    ["AT_DetachPartition", "ALTER TABLE p DETACH PARTITION p1"],
    ["AT_DetachPartitionFinalize", "ALTER TABLE p DETACH PARTITION p1 FINALIZE"],
    ["AT_AddIdentity", "ALTER id ADD GENERATED BY DEFAULT AS IDENTITY"],
    ["AT_SetIdentity", "ALTER id SET GENERATED ALWAYS"],
    ["AT_DropIdentity", "ALTER id DROP IDENTITY"],
  ];
}

function drops(): [keyof typeof dropped, string][] {
  return [
    ["OBJECT_ACCESS_METHOD", "ACCESS METHOD x"],
    ["OBJECT_AGGREGATE", "AGGREGATE x(int)"],
    ["OBJECT_CAST", "CAST (int AS text)"],
    ["OBJECT_COLLATION", "COLLATION x"],
    ["OBJECT_CONVERSION", "CONVERSION x"],
    ["OBJECT_DOMAIN", "DOMAIN d CASCADE"],
    ["OBJECT_EVENT_TRIGGER", "EVENT TRIGGER x"],
    ["OBJECT_EXTENSION", "EXTENSION x"],
    ["OBJECT_FDW", "FOREIGN DATA WRAPPER x"],
    ["OBJECT_FOREIGN_SERVER", "SERVER x"],
    ["OBJECT_FOREIGN_TABLE", "FOREIGN TABLE x"],
    ["OBJECT_FUNCTION", "FUNCTION x()"],
    ["OBJECT_INDEX", "INDEX i"],
    ["OBJECT_LANGUAGE", "LANGUAGE x"],
    ["OBJECT_MATVIEW", "MATERIALIZED VIEW m"],
    ["OBJECT_OPCLASS", "OPERATOR CLASS x USING btree"],
    ["OBJECT_OPERATOR", "OPERATOR + (int, int)"],
    ["OBJECT_OPFAMILY", "OPERATOR FAMILY x USING btree"],
    ["OBJECT_POLICY", "POLICY po ON t"],
    ["OBJECT_PROCEDURE", "PROCEDURE x()"],
    ["OBJECT_PUBLICATION", "PUBLICATION x"],
    ["OBJECT_ROUTINE", "ROUTINE x()"],
    ["OBJECT_RULE", "RULE x ON t"],
    ["OBJECT_SCHEMA", "SCHEMA x"],
    ["OBJECT_SEQUENCE", "SEQUENCE s"],
    ["OBJECT_STATISTIC_EXT", "STATISTICS x"],
    ["OBJECT_TABLE", "TABLE u"],
    ["OBJECT_TRANSFORM", "TRANSFORM FOR int LANGUAGE x"],
    ["OBJECT_TRIGGER", "TRIGGER x ON t"],
    ["OBJECT_TSCONFIGURATION", "TEXT SEARCH CONFIGURATION x"],
    ["OBJECT_TSDICTIONARY", "TEXT SEARCH DICTIONARY x"],
    ["OBJECT_TSPARSER", "TEXT SEARCH PARSER x"],
    ["OBJECT_TSTEMPLATE", "TEXT SEARCH TEMPLATE x"],
    ["OBJECT_TYPE", "TYPE en CASCADE"],
    ["OBJECT_VIEW", "VIEW v"],
  ];
}
