//! Typical mistakes, and exactly what is said about them.

use super::{load, refused};
use crate::scenario::{Overrides, Style};

const RUN: &str = "[run]\nduration = \"9s\"\n";

#[test]
fn probe() {
    for text in [
        "[run]\nduration = \"9s\"\n[policies.p]\ntiemout = \"1s\"\n",
        "[run]\nduration = 120\n",
        "[run]\nseed = 1\n",
        "title = \"x\"\n",
        "",
        "[run]\nduration = \"9s\"\n[clients.a]\nrate = \"5/s\"\ncall = \"b\"\nruns = 10\n",
        "[run]\nduration = \"9s\"\n[policies.p]\nhedge = { delay = \"p95\" }\n[faults.x]\nat = \"1s\"\n",
        "[run]\nduration = \"9s\"\n[expect]\napp.latency.p99 = \"< 1s\"\n",
        "[run]\nduration = \"9s\"\n[expect]\n\"app.latnecy.p99\" = \"< 1s\"\n\"app.latency.p99\" = [\"< 1s\", \"< 5 apples\"]\n",
        "[run]\nduration = \"9s\"\n[services.s]\nwork = { exponential = \"1ms\", cap = \"2ms\" }\n[services.t]\nwork = { exponentail = \"1ms\" }\n[services.u]\nwork = { normal = { mean = \"1ms\" } }",
        "[run]\nduration = \"9s\"\nruns = { until = { x = \"2%\" }, at-most = 200 }\nwarmup = \"auto\"\n[network]\nloss = { bursty = { loss = \"1%\" } }\n",
        "[run]\nduration = \"9s\"\n[clients.App]\nrate = \"5/s\"\nusers = 3\ncall = \"b\"\nsend = \"c\"\n[clients.b]\n[clients.c]\nrate = \"5/s\"\nwork = \"1ms\"\ntimeout = \"1s\"\n",
        "[run]\nduration = \"9s\"\n[services.a]\nbalance = \"round-robbin\"\nworkers = 0\nnodes = -1\nqueue = { limit = \"many\", when-full = { drop = 1 } }\nhold-worker = \"no\"\nspeed = [1, 0]\n",
        "[run]\nduration = \"9s\"\n[params]\nload = \"5\"\n[clients.a]\nrate = \"$load\"\ncall = \"b\"\n",
        "[run]\nduration = \"9s\"\n[links.a]\nbetween = [\"a\", \"b[\"]\n[links.b]\nfrom = \"a\"\n[links.c]\nbetween = [\"a\", \"b\", \"c\"]\n[links.d]\nbetween = \"a\"\n",
        "[run]\nduration = \"9s\"\n[services.s]\nsteps = [{ work = \"1ms\", timeout = \"1s\" }, { wait = true }, 3]\n",
        "[run]\nduration = \"9s\"\n[services.s]\nsteps = [{ work = \"1ms\", timeout = \"1s\" }, { wait = true }]\n",
        "[run]\nduration = \"9s\"\n[policies.p]\nbackoff = \"exponential\"\n[policies.q]\nbalance = \"weighted\"\njitter = { full = 1 }\n",
        "run = 3\nclients = 4\n",
    ] {
        println!("----------\n{text}\n----\n{}", refused(text));
    }
}
