/**
 * Lines of imported bills as they count now. Providers issue a day again until they are done: of
 * one provider, kind of export and stretch of time, the last import counts.
 */
export const BILLS_NOW = `(SELECT * EXCLUDE (filename, newest) FROM
  (SELECT *, max("import") OVER (PARTITION BY provider, dialect, bucket_start) AS newest FROM temp.bills)
  WHERE "import" = newest)`
