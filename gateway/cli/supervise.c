/* SPDX-License-Identifier: Apache-2.0
 * `sluice supervise FOLDER`: the supervisor of one local cluster. Hidden; the local target starts it. */
#include "gateway/cli/cli.h"

#include "gateway/target/supervise.h"

static int supervise(int argc, char **argv)
{
    if (argc != 2) {
        return cli_usage("supervise", "it takes the folder of a cluster");
    }
    return sup_main(argv[1]);
}

const struct cli_verb cli_supervise = {
    .name = "supervise",
    .summary = "holds the JVMs of one local cluster",
    .usage = "usage: sluice supervise FOLDER\n\n"
             "Starts the JVMs that FOLDER/cluster.json names, keeps FOLDER/state.json, ends them on TERM.\n"
             "Sluice runs it by itself; there is no reason to run it by hand.\n",
    .exec = supervise,
    .hidden = true,
};
