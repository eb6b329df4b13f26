/* SPDX-License-Identifier: Apache-2.0
 * Command lines and configuration of local Flink JVMs. The memory keys are the smallest that were seen to run
 * comfortably (a JobManager that compiles SQL in 512 MB, a TaskManager with 8 slots); managed memory is taken
 * from the machine only when an operator asks for it. */
#include "gateway/target/jvm.h"

#include "base/limits.h"
#include "base/vec.h"
#include "sys/file.h"

#include <stdarg.h>
#include <stdio.h>

#define JM_HEAP_MB      512
#define JM_METASPACE_MB 768
#define TM_HEAP_MB      576 /* framework 128 + tasks 448 */
#define TM_METASPACE_MB 320
#define TM_NETWORK_MB   96
#define TM_DIRECT_MB    (TM_NETWORK_MB + 64 + 128) /* network, framework, what connectors take */
#define TM_MANAGED_MB   512
/* Checkpoints that Flink remembers: as many as end between two looks, with a checkpoint each 200 ms and a
 * JobManager that does not answer for half a minute. */
#define CHECKPOINT_HISTORY 200

typedef SL_VEC(const char *) args;

static void put_key(struct sl_buf *b, const char *key, const char *fmt, ...) SL_PRINTF(3, 4);
static void put_key(struct sl_buf *b, const char *key, const char *fmt, ...)
{
    char value[1024];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(value, sizeof value, fmt, ap);
    va_end(ap);
    sl_buf_printf(b, "%s: ", key);
    sl_json_quote(b, sl_str_of(value)); /* a JSON string is a YAML double-quoted scalar */
    sl_buf_putc(b, '\n');
}

/* No taskmanager.resource-id: each start then has its own, and the JobManager never takes a new TaskManager for
 * the dead one. */
static void addresses(struct sl_buf *b, const struct jvm_cluster *c)
{
    put_key(b, "sluice.cluster.id", "%s", c->id);
    put_key(b, "jobmanager.rpc.address", "127.0.0.1");
    put_key(b, "jobmanager.rpc.port", "%d", c->rpc_port);
    put_key(b, "jobmanager.bind-host", "127.0.0.1");
    put_key(b, "taskmanager.host", "127.0.0.1");
    put_key(b, "taskmanager.bind-host", "127.0.0.1");
    put_key(b, "rest.address", "127.0.0.1");
    put_key(b, "rest.bind-address", "127.0.0.1");
    put_key(b, "rest.port", "%d", c->rest_port);
    put_key(b, "rest.bind-port", "%d", c->rest_port);
    put_key(b, "blob.server.port", "0");
    put_key(b, "metrics.internal.query-service.port", "0");
}

static void memory(struct sl_buf *b, const struct jvm_cluster *c)
{
    put_key(b, "taskmanager.numberOfTaskSlots", "%d", c->slots);
    put_key(b, "taskmanager.cpu.cores", "%d.0", c->slots);
    put_key(b, "taskmanager.memory.framework.heap.size", "128m");
    put_key(b, "taskmanager.memory.task.heap.size", "%dm", TM_HEAP_MB - 128);
    put_key(b, "taskmanager.memory.framework.off-heap.size", "128m");
    put_key(b, "taskmanager.memory.task.off-heap.size", "64m");
    put_key(b, "taskmanager.memory.network.min", "%dm", TM_NETWORK_MB);
    put_key(b, "taskmanager.memory.network.max", "%dm", TM_NETWORK_MB);
    /* Of a batch job's shuffle: with Flink's 512 six of them at once take all buffers, and the next one
     * fails. */
    put_key(b, "taskmanager.network.sort-shuffle.min-buffers", "64");
    put_key(b, "taskmanager.memory.managed.size", "%dm", TM_MANAGED_MB);
    put_key(b, "taskmanager.memory.jvm-metaspace.size", "%dm", TM_METASPACE_MB);
    put_key(b, "taskmanager.memory.jvm-overhead.min", "64m");
    put_key(b, "taskmanager.memory.jvm-overhead.max", "64m");
    put_key(b, "jobmanager.memory.heap.size", "%dm", JM_HEAP_MB);
    put_key(b, "jobmanager.memory.jvm-metaspace.size", "%dm", JM_METASPACE_MB);
}

static const char *state_dir(const struct jvm_cluster *c)
{
    return c->state_dir ? c->state_dir : c->dir;
}

static void behaviour(struct sl_buf *b, const struct jvm_cluster *c)
{
    put_key(b, "parallelism.default", "1");
    put_key(b, "classloader.resolve-order", "parent-first");
    put_key(b, "classloader.check-leaked-classloader", "false");
    put_key(b, "cluster.intercept-user-system-exit", "THROW");
    put_key(b, "cluster.registration.error-delay", "300 ms");
    put_key(b, "cluster.registration.initial-timeout", "100 ms");
    put_key(b, "cluster.registration.refused-registration-delay", "300 ms");
    put_key(b, "slotmanager.requirement-check.delay", "1 ms"); /* Flink's 50 ms are part of every first row */
    put_key(b, "heartbeat.interval", "2 s");
    put_key(b, "heartbeat.timeout", "30 s");
    put_key(b, "web.refresh-interval", "100 ms");
    put_key(b, "web.checkpoints.history", "%d", CHECKPOINT_HISTORY);
    put_key(b, "web.cancel.enable", "true");
    put_key(b, "web.submit.enable", c->jm == IMG_ROLE_SESSION ? "true" : "false");
    put_key(b, "web.upload.dir", "%s/upload", c->dir);
    put_key(b, "web.tmpdir", "%s/tmp", c->dir);
    put_key(b, "io.tmp.dirs", "%s/tmp", c->dir);
    put_key(b, "process.working-dir", "%s/tmp", c->dir);
    put_key(b, "metrics.fetcher.update-interval", "500 ms");
    put_key(b, "jobstore.expiration-time", "86400");
    put_key(b, "jobmanager.archive.fs.dir", "file://%s/archive", c->dir);
    put_key(b, "execution.checkpointing.dir", "file://%s/checkpoints", state_dir(c));
    put_key(b, "execution.checkpointing.savepoint-dir", "file://%s/savepoints", state_dir(c));
    put_key(b, "execution.checkpointing.externalized-checkpoint-retention", "RETAIN_ON_CANCELLATION");
    put_key(b, "execution.checkpointing.num-retained", "2");
    if (c->jm == IMG_ROLE_APPLICATION) {
        put_key(b, "execution.shutdown-on-application-finish", "false");
    }
}

static const char log4j[] =
    "rootLogger.level = INFO\n"
    "rootLogger.appenderRef.file.ref = File\n"
    "logger.pekko.name = org.apache.pekko\n"
    "logger.pekko.level = WARN\n"
    "logger.netty.name = org.jboss.netty.channel.DefaultChannelPipeline\n"
    "logger.netty.level = OFF\n"
    "appender.file.name = File\n"
    "appender.file.type = RollingFile\n"
    "appender.file.append = true\n"
    "appender.file.fileName = ${sys:log.file}\n"
    "appender.file.filePattern = ${sys:log.file}.%i\n"
    "appender.file.layout.type = PatternLayout\n"
    "appender.file.layout.pattern = %d{yyyy-MM-dd HH:mm:ss,SSS} %-5p %-40c{1.} - %m%n\n"
    "appender.file.policies.type = Policies\n"
    "appender.file.policies.size.type = SizeBasedTriggeringPolicy\n";

bool jvm_write_conf(const struct jvm_cluster *c, struct sl_err *err)
{
    static const char *const folders[] = {"conf", "log", "archive", "upload", "tmp"};
    static const char *const state_folders[] = {"checkpoints", "savepoints"};
    SL_ARENA_AUTO a = {0};
    for (size_t i = 0; i < SL_ARRAY_LEN(folders); i++) {
        if (!sys_mkdirs(sys_path_join(&a, c->dir, folders[i]), 0700, err)) {
            return false;
        }
    }
    for (size_t i = 0; i < SL_ARRAY_LEN(state_folders); i++) {
        if (!sys_mkdirs(sys_path_join(&a, state_dir(c), state_folders[i]), 0700, err)) {
            return false;
        }
    }
    SL_BUF_AUTO b;
    sl_buf_init(&b, 1 << 16);
    addresses(&b, c);
    memory(&b, c);
    behaviour(&b, c);
    if (!sys_file_write(sys_path_join(&a, c->dir, "conf/config.yaml"), sl_buf_str(&b), 0600, err)) {
        return false;
    }
    sl_buf_clear(&b);
    sl_buf_putz(&b, log4j);
    sl_buf_printf(&b,
                  "appender.file.policies.size.size = %zuKB\n"
                  "appender.file.strategy.type = DefaultRolloverStrategy\n"
                  "appender.file.strategy.max = 1\n",
                  sl_limits.jvm_log_bytes / 2048);
    return sys_file_write(sys_path_join(&a, c->dir, "conf/log4j.properties"), sl_buf_str(&b), 0600, err);
}

static void add(struct sl_arena *a, args *v, const char *fmt, ...) SL_PRINTF(3, 4);
static void add(struct sl_arena *a, args *v, const char *fmt, ...)
{
    char text[4096];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    sl_vec_push(a, v, sl_arena_strdupz(a, sl_str_of(text)));
}

/* What Flink's own configuration opens to itself (env.java.opts.all of its config.yaml). */
static void add_opens(struct sl_arena *a, args *v)
{
    static const char *const exports[] = {"java.base/sun.net.util",
                                          "java.rmi/sun.rmi.registry",
                                          "jdk.compiler/com.sun.tools.javac.api",
                                          "jdk.compiler/com.sun.tools.javac.file",
                                          "jdk.compiler/com.sun.tools.javac.parser",
                                          "jdk.compiler/com.sun.tools.javac.tree",
                                          "jdk.compiler/com.sun.tools.javac.util",
                                          "java.security.jgss/sun.security.krb5"};
    static const char *const opens[] = {"lang",
                                        "net",
                                        "io",
                                        "nio",
                                        "lang.reflect",
                                        "text",
                                        "time",
                                        "util",
                                        "util.concurrent",
                                        "util.concurrent.atomic",
                                        "util.concurrent.locks"};
    for (size_t i = 0; i < SL_ARRAY_LEN(exports); i++) {
        add(a, v, "--add-exports=%s=ALL-UNNAMED", exports[i]);
    }
    for (size_t i = 0; i < SL_ARRAY_LEN(opens); i++) {
        add(a, v, "--add-opens=java.base/java.%s=ALL-UNNAMED", opens[i]);
    }
    add(a, v, "--add-opens=java.base/sun.nio.ch=ALL-UNNAMED");
}

static void add_class_path(struct sl_arena *a, args *v, const struct jvm_cluster *c)
{
    SL_BUF_AUTO cp;
    sl_buf_init(&cp, 1 << 20);
    sl_buf_putz(&cp, c->base->flink_cp);
    if (c->base->runner && !c->dump_dir) {
        sl_buf_printf(&cp, ":%s", c->base->runner);
    }
    for (size_t i = 0; c->jars && c->jars[i]; i++) {
        sl_buf_printf(&cp, ":%s", c->jars[i]);
    }
    sl_vec_push(a, v, "-cp");
    sl_vec_push(a, v, sl_arena_strdupz(a, sl_buf_str(&cp)));
}

static const char *jvm_name(enum img_role role)
{
    return role == IMG_ROLE_TASKMANAGER ? "taskmanager" : "jobmanager";
}

const char **jvm_argv(struct sl_arena *a, const struct jvm_cluster *c, enum img_role role,
                      size_t *ret_restore_at)
{
    args v = {0};
    bool tm = role == IMG_ROLE_TASKMANAGER;
    *ret_restore_at = 0;
    sl_vec_push(a, &v, c->base->java.bin);
    add_opens(a, &v);
    /* C1 alone, also for the TaskManager: with C2 a cold script cost 29 % more CPU, and a job of 300,000 rows
     * nearly twice as much; it pays only after millions of rows, by a fifth. */
    add(a, &v, "-XX:TieredStopAtLevel=1");
    add(a, &v, "-XX:+UseSerialGC");
    add(a, &v, "-Xms%dm", 64);
    add(a, &v, "-Xmx%dm", tm ? TM_HEAP_MB : JM_HEAP_MB);
    add(a, &v, "-XX:MaxMetaspaceSize=%dm", tm ? TM_METASPACE_MB : JM_METASPACE_MB);
    if (tm) {
        add(a, &v, "-XX:MaxDirectMemorySize=%dm", TM_DIRECT_MB);
    }
    add(a, &v, "-XX:+ExitOnOutOfMemoryError");
    add(a, &v, "-XX:ErrorFile=%s/log/hs_err_%%p.log", c->dir);
    add(a, &v, "-XX:-UsePerfData"); /* no file in /tmp */
    if (c->base->java.major >= 18) {
        add(a, &v, "-Djava.security.manager=allow");
    }
    if (c->dump_dir) {
        add(a, &v, "-XX:ArchiveClassesAtExit=%s/%s", c->dump_dir, img_role_archive(role));
    } else if (c->base->archive[role]) {
        add(a, &v, "-XX:SharedArchiveFile=%s", c->base->archive[role]);
        add(a, &v, "-Xshare:auto");
        add(a, &v, "-Xlog:disable");
    }
    add(a, &v, "-Djava.io.tmpdir=%s/tmp", c->dir);
    add(a, &v, "-Dlog.file=%s/log/%s.log", c->dir, jvm_name(role));
    add(a, &v, "-Dlog4j.configurationFile=file:%s/conf/log4j.properties", c->dir);
    add(a, &v, "-Dlog4j2.disableJmx=true");
    add_class_path(a, &v, c);
    if (tm) {
        add(a, &v, "org.apache.flink.runtime.taskexecutor.TaskManagerRunner");
    } else if (c->jm == IMG_ROLE_SESSION) {
        add(a, &v, "org.apache.flink.runtime.entrypoint.StandaloneSessionClusterEntrypoint");
    } else {
        add(a, &v, "org.apache.flink.container.entrypoint.StandaloneApplicationClusterEntryPoint");
    }
    add(a, &v, "--configDir");
    add(a, &v, "%s/conf", c->dir);
    if (!tm && c->jm == IMG_ROLE_APPLICATION) {
        if (c->dump_dir && c->runner_jar) {
            add(a, &v, "--jars"); /* takes all words up to the next option */
            add(a, &v, "file://%s", c->runner_jar);
        }
        add(a, &v, "--job-classname");
        add(a, &v, "org.sluice.runner.Runner");
        if (c->job_id) {
            add(a, &v, "--job-id");
            add(a, &v, "%s", c->job_id);
        }
        *ret_restore_at =
            v.n; /* before the arguments of main(): Flink stops at the first option it does not know */
        add(a, &v, "--task");
        add(a, &v, "%s", c->task);
    }
    sl_vec_push(a, &v, NULL);
    return v.v;
}

const char **jvm_env(struct sl_arena *a, const struct jvm_cluster *c)
{
    args v = {0};
    add(a, &v, "FLINK_CONF_DIR=%s/conf", c->dir);
    add(a, &v, "FLINK_LIB_DIR=%s/lib", c->base->dir);
    add(a, &v, "FLINK_OPT_DIR=%s/opt", c->base->dir);
    add(a, &v, "FLINK_PLUGINS_DIR=%s/plugins", c->base->dir);
    add(a, &v, "FLINK_HOME=%s", c->base->dir);
    add(a, &v, "FLINK_LOG_DIR=%s/log", c->dir);
    sl_vec_push(a, &v, NULL);
    return v.v;
}
