// SPDX-License-Identifier: Apache-2.0
// dt-sql-parser's Flink parser over a file of {"sql": ...} lines or over one script; a JSON line a pass, CPU seconds of the process.
import { readFileSync } from 'node:fs';
import { FlinkSQL } from 'dt-sql-parser';

const [what, path, limit] = [process.argv[2], process.argv[3], Number(process.argv[4])];
const file = readFileSync(path, 'utf8');
const texts = what === 'script' ? [file] : file.split('\n').filter(Boolean).map((line) => JSON.parse(line).sql);
const bytes = texts.reduce((n, t) => n + Buffer.byteLength(t), 0);
const cpu = () => {
    const used = process.cpuUsage();
    return (used.user + used.system) / 1e6;
};
const end = cpu() + limit;
const parser = new FlinkSQL();
for (let pass = 1; pass <= 2 || cpu() < end; pass++) {
    const start = cpu();
    let taken = 0;
    let takenBytes = 0;
    for (const text of texts) {
        // It remembers the last text; one blank more makes it another one.
        const sql = text + ' '.repeat(pass);
        if (what === 'lex') {
            taken += parser.getAllTokens(sql).length;
        } else if (parser.validate(sql).length === 0) {
            taken += 1;
            takenBytes += Buffer.byteLength(text);
        }
    }
    console.log(JSON.stringify({ seconds: cpu() - start, statements: texts.length, taken, bytes, takenBytes }));
}
