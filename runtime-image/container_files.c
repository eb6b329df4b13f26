/* SPDX-License-Identifier: Apache-2.0
 * Entry point, user and configuration of an image that is run as a container. */
#include "runtime-image/container_files.h"

#include "sys/file.h"

#define CONFIG_BYTES ((size_t)1 << 20)

static const char entrypoint[] =
    "#!/bin/sh\n"
    "# The roles of Flink by name; any other command as it is.\n"
    "set -e\n"
    "if [ \"$DISABLE_JEMALLOC\" != true ]; then\n"
    "    for lib in /usr/lib/*/libjemalloc.so /usr/lib/*/libjemalloc.so.2; do\n"
    "        if [ -e \"$lib\" ]; then\n"
    "            LD_PRELOAD=\"${LD_PRELOAD:+$LD_PRELOAD:}$lib\"\n"
    "            export LD_PRELOAD\n"
    "            break\n"
    "        fi\n"
    "    done\n"
    "fi\n"
    "IFS=';'\n"
    "for jar in $ENABLE_BUILT_IN_PLUGINS; do\n"
    "    if [ ! -e \"$FLINK_HOME/opt/$jar\" ]; then\n"
    "        echo \"docker-entrypoint.sh: there is no $FLINK_HOME/opt/$jar\" >&2\n"
    "        exit 1\n"
    "    fi\n"
    "    mkdir -p \"$FLINK_HOME/plugins/${jar%.jar}\"\n"
    "    ln -fs \"$FLINK_HOME/opt/$jar\" \"$FLINK_HOME/plugins/${jar%.jar}/\"\n"
    "done\n"
    "unset IFS\n"
    "address=\"${JOB_MANAGER_RPC_ADDRESS:-$(hostname)}\"\n"
    "role=\"$1\"\n"
    "case \"$role\" in\n"
    "help)\n"
    "    echo 'jobmanager, standalone-job, taskmanager, history-server, or any command'\n"
    "    exit 0 ;;\n"
    "jobmanager|standalone-job)\n"
    "    shift\n"
    "    exec \"$FLINK_HOME/bin/$role.sh\" start-foreground -D \"jobmanager.rpc.address=$address\" \\\n"
    "        -D blob.server.port=6124 -D query.server.port=6125 \"$@\" ;;\n"
    "taskmanager)\n"
    "    shift\n"
    "    exec \"$FLINK_HOME/bin/taskmanager.sh\" start-foreground -D \"jobmanager.rpc.address=$address\" \\\n"
    "        -D blob.server.port=6124 -D query.server.port=6125 \"$@\" ;;\n"
    "history-server)\n"
    "    shift\n"
    "    exec \"$FLINK_HOME/bin/historyserver.sh\" start-foreground \"$@\" ;;\n"
    "*)\n"
    "    exec \"$@\" ;;\n"
    "esac\n";

/* The list is not sorted yet. What stands over others counts first. */
static const struct img_entry *entry_of(const struct img_content *c, const char *path)
{
    const struct img_entry *found = NULL;
    for (size_t i = 0; i < c->entries.n; i++) {
        const struct img_entry *e = &c->entries.v[i];
        if (sl_str_eqz(e->path, path) && (!found || e->part > found->part)) {
            found = e;
        }
    }
    return found;
}

static bool is_given(const struct img_content *c, const char *path)
{
    const struct img_entry *e = entry_of(c, path);
    return e && e->part == IMG_PART_FILES;
}

/* The file with one line more, unless a line of that name is there. */
static bool add_line(struct sl_arena *a, struct img_content *c, const char *path, sl_str name, sl_str line,
                     struct sl_err *err)
{
    const struct img_entry *e = entry_of(c, path);
    sl_str text = SL_STR_NONE;
    if (is_given(c, path) || (e && e->kind != IMG_FILE)) {
        return true;
    }
    if (e && !sys_file_read(a, e->source, CONFIG_BYTES, &text, err)) {
        return false;
    }
    if (sl_str_starts(text, name) || sl_str_find(text, sl_arena_printf(a, "\n%.*s", SL_S(name))) >= 0) {
        return true;
    }
    bool open_end = text.n && text.p[text.n - 1] != '\n';
    return img_add_made(a, c, sl_str_of(path), 0644,
                        sl_arena_printf(a, "%.*s%s%.*s\n", SL_S(text), open_end ? "\n" : "", SL_S(line)),
                        err);
}

void img_open_config(sl_str text, struct sl_buf *ret)
{
    static const struct {
        const char *section, *line, *instead; /* NULL: without it */
    } rules[] = {
        {"jobmanager:", "bind-host: localhost", "bind-host: 0.0.0.0"},
        {"taskmanager:", "bind-host: localhost", "bind-host: 0.0.0.0"},
        {"taskmanager:", "host: localhost", NULL},
        {"rest:", "address: localhost", "address: 0.0.0.0"},
        {"rest:", "bind-address: localhost", "bind-address: 0.0.0.0"},
    };
    sl_str section = SL_STR_NONE;
    for (size_t at = 0; at < text.n;) {
        sl_str rest = sl_str_sub(text, at, text.n - at);
        ptrdiff_t end = sl_str_find_char(rest, '\n');
        sl_str line = sl_str_sub(rest, 0, end < 0 ? rest.n : (size_t)end), trimmed = sl_str_trim(line);
        bool inner = line.n && (line.p[0] == ' ' || line.p[0] == '\t'), gone = false;
        at += line.n + (end >= 0);
        if (line.n && !inner && line.p[0] != '#') {
            section = trimmed;
        }
        for (size_t i = 0; i < SL_ARRAY_LEN(rules); i++) {
            if (inner && sl_str_eqz(section, rules[i].section) && sl_str_eqz(trimmed, rules[i].line)) {
                gone = !rules[i].instead;
                line = sl_str_sub(line, 0, (size_t)(trimmed.p - line.p));
                sl_buf_puts(ret, gone ? SL_STR_NONE : line);
                line = sl_str_of(rules[i].instead);
                break;
            }
        }
        if (!gone) {
            sl_buf_puts(ret, line);
            sl_buf_putz(ret, end < 0 ? "" : "\n");
        }
    }
}

static bool add_config(struct sl_arena *a, struct img_content *c, struct sl_err *err)
{
    static const char path[] = "opt/flink/conf/config.yaml";
    const struct img_entry *e = entry_of(c, path);
    sl_str text;
    if (!e || e->part == IMG_PART_FILES || e->kind != IMG_FILE) {
        return true;
    }
    if (!sys_file_read(a, e->source, CONFIG_BYTES, &text, err)) {
        return false;
    }
    SL_BUF_AUTO b;
    sl_buf_init(&b, 2 * CONFIG_BYTES);
    img_open_config(text, &b);
    return sl_str_eq(sl_buf_str(&b), text) || img_add_made(a, c, sl_str_of(path), 0644, sl_buf_str(&b), err);
}

bool img_add_container_files(struct sl_arena *a, const struct img_def *def, struct img_content *c,
                             struct sl_err *err)
{
    static const char script[] = "docker-entrypoint.sh";
    if (!def->system.from.n) {
        return true;
    }
    return (is_given(c, script) || img_add_made(a, c, sl_str_of(script), 0755, sl_str_of(entrypoint), err)) &&
           add_line(a, c, "etc/passwd", SL_STR("flink:"),
                    SL_STR("flink:x:9999:9999:Apache Flink:/opt/flink:/bin/sh"), err) &&
           add_line(a, c, "etc/group", SL_STR("flink:"), SL_STR("flink:x:9999:"), err) &&
           add_config(a, c, err);
}
