-- Rows as they come, with their changelog kinds; Ctrl-C ends it.
CREATE TABLE sales (
  k    INT,
  item AS ARRAY['apple', 'pear', 'plum'][k]
) WITH ('connector' = 'datagen', 'rows-per-second' = '2', 'fields.k.min' = '1', 'fields.k.max' = '3');

-- How often each fruit was sold so far: each new sale takes back the old count (-U) and gives the new one (+U).
SELECT item, COUNT(*) AS n FROM sales GROUP BY item;
