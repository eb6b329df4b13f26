-- One job with two sinks: the source is read once.
SET 'execution.runtime-mode' = 'batch';

CREATE TABLE orders (id INT, item STRING, price DECIMAL(10, 2))
WITH ('connector' = 'filesystem', 'path' = '${script.dir}/orders.csv', 'format' = 'csv');

CREATE TABLE cheap (id INT, item STRING)
WITH ('connector' = 'filesystem', 'path' = '${out:-/tmp/sluice-statement-set}/cheap', 'format' = 'json');
CREATE TABLE dear (id INT, item STRING)
WITH ('connector' = 'filesystem', 'path' = '${out:-/tmp/sluice-statement-set}/dear', 'format' = 'json');

EXECUTE STATEMENT SET
BEGIN
  INSERT OVERWRITE cheap SELECT id, item FROM orders WHERE price <= ${limit:-1.50};
  INSERT OVERWRITE dear SELECT id, item FROM orders WHERE price > ${limit:-1.50};
END;
