-- Drop index "claim_ref_key" from table: "claims"
DROP INDEX "claim_ref_key";
-- Create index "claim_waiting" to table: "claims"
CREATE INDEX "claim_waiting" ON "claims" ("ref_key") WHERE (NOT served);
