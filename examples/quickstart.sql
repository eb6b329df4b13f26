-- What the fruit shop earned: reads examples/orders.csv, writes CSV files, shows the rows.
-- Run it with:  build/sluice run examples/quickstart.sql
SET 'execution.runtime-mode' = 'batch';

CREATE TABLE orders (
  id    INT,
  item  STRING,
  price DECIMAL(10, 2)
) WITH ('connector' = 'filesystem', 'path' = '${script.dir}/orders.csv', 'format' = 'csv');

CREATE TABLE revenue (
  item    STRING,
  orders  BIGINT,
  revenue DECIMAL(10, 2)
) WITH ('connector' = 'filesystem', 'path' = '${out:-/tmp/sluice-quickstart}/revenue', 'format' = 'csv');

-- One bounded job: Sluice waits for it before the next statement.
CREATE TEMPORARY VIEW totals AS
  SELECT item, COUNT(*) AS orders, SUM(price) AS revenue FROM orders GROUP BY item;

INSERT OVERWRITE revenue SELECT item, orders, CAST(revenue AS DECIMAL(10, 2)) FROM totals;

SELECT item, orders, revenue FROM totals ORDER BY item;
