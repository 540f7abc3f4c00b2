-- CreateSchema
CREATE SCHEMA IF NOT EXISTS "auth";

-- CreateSchema
CREATE SCHEMA IF NOT EXISTS "public";

-- CreateEnum
CREATE TYPE "auth"."e_e" AS ENUM ('a a', 'B');

-- CreateTable
CREATE TABLE "Ig" (
    "id" INTEGER NOT NULL,
    "n" INTEGER NOT NULL,

    CONSTRAINT "Ig_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "auth"."a_table" (
    "id" UUID NOT NULL DEFAULT gen_random_uuid(),
    "x" INTEGER NOT NULL,
    "y" INTEGER,
    "y2" INTEGER,
    "z" INTEGER,
    "small" SMALLSERIAL NOT NULL,
    "u" UUID NOT NULL,
    "n" TEXT NOT NULL,
    "ul" TEXT NOT NULL,
    "d" DATE NOT NULL DEFAULT '2020-01-01 00:00:00 +00:00',
    "ts" TIMESTAMP(3) NOT NULL DEFAULT '2020-01-01 10:00:00.500 +00:00',
    "by" BYTEA NOT NULL DEFAULT '\x6869',
    "li" INTEGER[] DEFAULT ARRAY[1, 2]::INTEGER[],
    "dl" DECIMAL(65,30)[] DEFAULT ARRAY[1.5]::DECIMAL(65,30)[],
    "bl" BOOLEAN[] DEFAULT ARRAY[true, false]::BOOLEAN[],
    "jl" JSONB[],
    "dt" TIMESTAMP(0)[],
    "t" TIMESTAMP NOT NULL,
    "ti" TIME NOT NULL,
    "ti3" TIME(3) NOT NULL,
    "m" MONEY NOT NULL,
    "dec" DECIMAL NOT NULL,
    "inet" INET NOT NULL,
    "bit" BIT NOT NULL,
    "bit3" BIT(3) NOT NULL,
    "vb" VARBIT NOT NULL,
    "vb3" VARBIT(3) NOT NULL,
    "ch" CHAR NOT NULL,
    "vc" VARCHAR NOT NULL,
    "xml" XML NOT NULL,
    "oid" OID NOT NULL,
    "re" REAL NOT NULL,
    "js" JSON NOT NULL,
    "ci" CITEXT NOT NULL,
    "uns" circle,
    "unsd" int4range NOT NULL DEFAULT '[1,2)'::int4range,
    "e" "auth"."e_e" NOT NULL DEFAULT 'B',
    "el" "auth"."e_e"[] DEFAULT ARRAY['a a', 'B']::"auth"."e_e"[],
    "neg" INTEGER NOT NULL DEFAULT -5,
    "fl" DOUBLE PRECISION NOT NULL DEFAULT 1.50,
    "bi" BIGINT NOT NULL DEFAULT -9007199254740993,
    "q" TEXT NOT NULL DEFAULT 'it''s "x" \ y
z',
    "js2" JSONB NOT NULL,

    CONSTRAINT "a_table_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "auth"."B" (
    "p" INTEGER NOT NULL,
    "q" INTEGER NOT NULL,

    CONSTRAINT "bkey" PRIMARY KEY ("q","p")
);

-- CreateTable
CREATE TABLE "One" (
    "p" INTEGER NOT NULL,
    "q" INTEGER NOT NULL,

    CONSTRAINT "One_pkey" PRIMARY KEY ("p")
);

-- CreateTable
CREATE TABLE "auth"."_friends" (
    "A" UUID NOT NULL,
    "B" UUID NOT NULL,

    CONSTRAINT "_friends_AB_pkey" PRIMARY KEY ("A","B")
);

-- CreateTable
CREATE TABLE "auth"."_AToOne" (
    "A" UUID NOT NULL,
    "B" INTEGER NOT NULL,

    CONSTRAINT "_AToOne_AB_pkey" PRIMARY KEY ("A","B")
);

-- CreateIndex
CREATE INDEX "a_x_y" ON "auth"."a_table"("x" DESC, "y");

-- CreateIndex
CREATE INDEX "a_table_jl_idx" ON "auth"."a_table" USING GIN ("jl");

-- CreateIndex
CREATE INDEX "a_table_js2_idx" ON "auth"."a_table" USING GIN ("js2" jsonb_path_ops);

-- CreateIndex
CREATE INDEX "a_table_li_idx" ON "auth"."a_table" USING GIN ("li" array_ops);

-- CreateIndex
CREATE INDEX "a_table_inet_idx" ON "auth"."a_table" USING GIST ("inet" inet_ops);

-- CreateIndex
CREATE INDEX "a_table_x_idx" ON "auth"."a_table" USING HASH ("x");

-- CreateIndex
CREATE INDEX "a_table_t_idx" ON "auth"."a_table" USING BRIN ("t");

-- CreateIndex
CREATE UNIQUE INDEX "a_table_x_z_key" ON "auth"."a_table"("x", "z");

-- CreateIndex
CREATE UNIQUE INDEX "B_p_q_key" ON "auth"."B"("p", "q");

-- CreateIndex
CREATE UNIQUE INDEX "B_p_key" ON "auth"."B"("p");

-- CreateIndex
CREATE UNIQUE INDEX "One_q_key" ON "One"("q" DESC);

-- CreateIndex
CREATE INDEX "_friends_B_index" ON "auth"."_friends"("B");

-- CreateIndex
CREATE INDEX "_AToOne_B_index" ON "auth"."_AToOne"("B");

-- AddForeignKey
ALTER TABLE "auth"."a_table" ADD CONSTRAINT "a_table_x_y_fkey" FOREIGN KEY ("x", "y") REFERENCES "auth"."B"("p", "q") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "auth"."a_table" ADD CONSTRAINT "a_table_y2_z_fkey" FOREIGN KEY ("y2", "z") REFERENCES "auth"."B"("p", "q") ON DELETE NO ACTION ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "One" ADD CONSTRAINT "fk_one" FOREIGN KEY ("p") REFERENCES "auth"."B"("p") ON DELETE SET DEFAULT ON UPDATE RESTRICT;

-- AddForeignKey
ALTER TABLE "auth"."_friends" ADD CONSTRAINT "_friends_A_fkey" FOREIGN KEY ("A") REFERENCES "auth"."a_table"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "auth"."_friends" ADD CONSTRAINT "_friends_B_fkey" FOREIGN KEY ("B") REFERENCES "auth"."a_table"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "auth"."_AToOne" ADD CONSTRAINT "_AToOne_A_fkey" FOREIGN KEY ("A") REFERENCES "auth"."a_table"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "auth"."_AToOne" ADD CONSTRAINT "_AToOne_B_fkey" FOREIGN KEY ("B") REFERENCES "One"("p") ON DELETE CASCADE ON UPDATE CASCADE;

