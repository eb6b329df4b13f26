-- A job that never ends, to look at with `sluice job`:
--   build/sluice run -d examples/detached.sql
--   build/sluice job show clicks-per-user
--   build/sluice job cancel clicks-per-user
SET 'pipeline.name' = 'clicks-per-user';
SET 'execution.checkpointing.interval' = '3 s';

CREATE TABLE clicks (
  user_id INT,
  url     STRING,
  seen    AS PROCTIME()
) WITH ('connector' = 'datagen', 'rows-per-second' = '50', 'fields.user_id.min' = '1', 'fields.user_id.max' = '20');

CREATE TABLE counts (user_id INT, n BIGINT, last_at TIMESTAMP_LTZ(3)) WITH ('connector' = 'blackhole');

INSERT INTO counts
SELECT user_id, COUNT(*), MAX(seen) FROM TABLE(TUMBLE(TABLE clicks, DESCRIPTOR(seen), INTERVAL '5' SECOND))
GROUP BY user_id, window_start, window_end;
