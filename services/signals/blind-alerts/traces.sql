-- One row per alert that was forwarded from elsewhere (source alertmanager): what it says of
-- itself. Only its labels are known, so that an axis, a runbook or contributors may be missing.
SELECT
  time_bucket(INTERVAL 60 SECONDS, time) AS window_start,
  tenant,
  id,
  name,
  json_extract_string(tags, '$.fingerprint') AS alert,
  json_extract_string(tags, '$.status') AS status,
  json_extract_string(tags, '$.severity') AS severity,
  json_extract_string(tags, '$.axis') AS axis,
  json_extract_string(tags, '$.runbook_url') AS runbook,
  json_extract_string(tags, '$.contributors') AS contributors,
  epoch_ms(time)::DOUBLE AS time_ms
FROM events
WHERE kind = 'evaluation' AND judge = 'alertmanager'
