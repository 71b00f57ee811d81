//! `--shard`: which part of a study a process plays, as it was typed or as the environment says.
//!
//! Whoever starts many processes at once tells each of them its number: Slurm those of a job array and those of a step, launchers of MPI
//! their ranks, Kubernetes the pods of an indexed job. All of these are counted from 0 or from any number; shards are counted from 1.

use rehearsal::experiment::Shard;

/// What `auto` looks for, where nothing is found.
const NOTHING: &str = "`--shard auto` finds no number of its own in the environment: no job array or step of Slurm, no rank of an MPI \
                       launcher, no index of a Kubernetes job; write `--shard K/N`";

/// A number from 0, of so many; of how many, not everybody says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Rank {
    index: u32,
    count: Option<u32>,
}

/// The shard that is meant by `K/N`, `auto` or `auto/N`; `variable` looks up the environment.
pub fn shard(typed: &str, variable: &dyn Fn(&str) -> Option<String>) -> Result<Shard, String> {
    let wrong = || format!("`--shard` is a part such as 1/7 (the first of seven), `auto` or `auto/7`; found `{typed}`");
    let Some(rest) = typed.strip_prefix("auto") else { return Shard::parse(typed).ok_or_else(wrong) };
    let asked = match rest.strip_prefix('/') {
        Some(count) => Some(count.parse().ok().filter(|&count: &u32| count > 0).ok_or_else(wrong)?),
        None if rest.is_empty() => None,
        None => return Err(wrong()),
    };
    let environment = Environment(variable);
    let (outer, inner) = (environment.outer()?, environment.inner()?);
    let rank = join(outer, inner, asked)?;
    let count = match (rank.count, asked) {
        (Some(found), Some(asked)) if found != asked => {
            return Err(format!("`--shard auto/{asked}` is one of {asked}, and the environment says one of {found}"));
        }
        (Some(count), _) | (None, Some(count)) => count,
        (None, None) => {
            return Err(format!(
                "`--shard auto` finds the number {}, and nothing says of how many: write `--shard auto/N`",
                rank.index
            ));
        }
    };
    let outside = || format!("`--shard auto` finds the number {} (from 0), and there are only {count}", rank.index);
    rank.index.checked_add(1).and_then(|number| Shard::new(number, count)).ok_or_else(outside)
}

/// Tasks inside each of several jobs.
fn join(outer: Option<Rank>, inner: Option<Rank>, asked: Option<u32>) -> Result<Rank, String> {
    let (outer, inner) = match (outer, inner) {
        (Some(outer), Some(inner)) => (outer, inner),
        (Some(rank), None) | (None, Some(rank)) => return Ok(rank),
        (None, None) => return Err(NOTHING.into()),
    };
    let tasks = inner.count.ok_or("`--shard auto` finds a rank inside of a job array, and not of how many")?;
    let jobs = match (outer.count, asked) {
        (Some(jobs), _) => Some(jobs),
        (None, Some(asked)) if asked % tasks != 0 => {
            return Err(format!("`--shard auto/{asked}` is no multiple of the {tasks} tasks of each job"));
        }
        (None, asked) => asked.map(|asked| asked / tasks),
    };
    let too_many = || "`--shard auto` finds more tasks than can be counted".to_owned();
    let count = jobs.map(|jobs| jobs.checked_mul(tasks).ok_or_else(too_many)).transpose()?;
    let index = outer.index.checked_mul(tasks).and_then(|first| first.checked_add(inner.index));
    Ok(Rank { index: index.ok_or_else(too_many)?, count })
}

struct Environment<'a>(&'a dyn Fn(&str) -> Option<String>);

impl Environment<'_> {
    /// Which one of several jobs it is.
    fn outer(&self) -> Result<Option<Rank>, String> {
        let index = self.number("JOB_COMPLETION_INDEX")?;
        let pod = index.map(|index| Rank { index, count: None });
        match (self.array()?, pod) {
            (Some(_), Some(_)) => {
                Err("`--shard auto` finds a job array of Slurm and an index of Kubernetes: write `--shard K/N`".into())
            }
            (array, pod) => Ok(array.or(pod)),
        }
    }

    /// A task of a job array of Slurm.
    fn array(&self) -> Result<Option<Rank>, String> {
        let Some(id) = self.number("SLURM_ARRAY_TASK_ID")? else { return Ok(None) };
        let need = |name: &str| {
            let missing = || format!("`--shard auto` finds SLURM_ARRAY_TASK_ID and no {name}: write `--shard K/N`");
            self.number(name)?.ok_or_else(missing)
        };
        let (least, most, count) =
            (need("SLURM_ARRAY_TASK_MIN")?, need("SLURM_ARRAY_TASK_MAX")?, need("SLURM_ARRAY_TASK_COUNT")?);
        let step = self.number("SLURM_ARRAY_TASK_STEP")?.unwrap_or(1).max(1);
        let is_regular = (least..=most).contains(&id)
            && (most - least) % step == 0
            && (id - least) % step == 0
            && (most - least) / step + 1 == count;
        if !is_regular {
            return Err(format!(
                "`--shard auto` needs a job array without gaps: of {count} tasks from {least} to {most} in steps of {step}, nothing \
                 says which one is {id}; write `--shard K/N`"
            ));
        }
        Ok(Some(Rank { index: (id - least) / step, count: Some(count) }))
    }

    /// Which one it is of several processes that were started together.
    fn inner(&self) -> Result<Option<Rank>, String> {
        let pair = |rank: &str, size: &str| -> Result<_, String> {
            Ok(self.number(rank)?.zip(self.number(size)?).map(|(index, count)| Rank { index, count: Some(count) }))
        };
        let launchers = [pair("OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE")?, pair("PMI_RANK", "PMI_SIZE")?];
        // A launcher inside of a step has processes of its own, and those of the step are not what was started.
        let mut ranks: Vec<_> = launchers.into_iter().flatten().collect();
        if ranks.is_empty() {
            ranks.extend(pair("SLURM_PROCID", "SLURM_STEP_NUM_TASKS")?);
        }
        let pmix = self.number("PMIX_RANK")?;
        if let (true, Some(index)) = (ranks.is_empty(), pmix) {
            ranks.push(Rank { index, count: None });
        }
        if ranks.iter().any(|rank| *rank != ranks[0]) || pmix.is_some_and(|index| ranks[0].index != index) {
            return Err("`--shard auto` finds several ranks that contradict each other: write `--shard K/N`".into());
        }
        Ok(ranks.first().copied())
    }

    fn number(&self, name: &str) -> Result<Option<u32>, String> {
        let wrong = |found: &str| format!("`--shard auto` finds {name}={found}, which is no number");
        self.0(name).map(|found| found.trim().parse().map_err(|_| wrong(&found))).transpose()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(typed: &str, variables: &[(&str, &str)]) -> Result<String, String> {
        let lookup =
            |name: &str| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned());
        shard(typed, &lookup).map(|shard| shard.to_string())
    }

    #[track_caller]
    fn refused(typed: &str, variables: &[(&str, &str)], said: &str) {
        let refusal = found(typed, variables).expect_err(typed);
        assert!(refusal.contains(said), "{typed}: {refusal}");
    }

    const ARRAY: [(&str, &str); 5] = [
        ("SLURM_ARRAY_TASK_ID", "7"),
        ("SLURM_ARRAY_TASK_MIN", "3"),
        ("SLURM_ARRAY_TASK_MAX", "9"),
        ("SLURM_ARRAY_TASK_STEP", "2"),
        ("SLURM_ARRAY_TASK_COUNT", "4"),
    ];

    #[test]
    fn what_is_typed_counts() {
        assert_eq!(found("2/7", &ARRAY), Ok("2/7".into()));
        for typed in ["0/7", "8/7", "2", "auto/0", "auto/x", "automatic", "Auto", ""] {
            refused(typed, &ARRAY, "a part such as 1/7");
        }
        refused("auto", &[], "finds no number of its own");
    }

    /// 3, 5, 7 and 9: the third of four.
    #[test]
    fn slurm_arrays_begin_anywhere_and_go_in_steps() {
        assert_eq!(found("auto", &ARRAY), Ok("3/4".into()));
        assert_eq!(found("auto/4", &ARRAY), Ok("3/4".into()));
        refused("auto/5", &ARRAY, "one of 5, and the environment says one of 4");
        // 3, 4, 7 and 9.
        let gaps = ARRAY.map(|(name, value)| (name, if name == "SLURM_ARRAY_TASK_STEP" { "1" } else { value }));
        refused("auto", &gaps, "without gaps");
        refused("auto", &ARRAY[..1], "no SLURM_ARRAY_TASK_MIN");
        refused("auto", &[("SLURM_ARRAY_TASK_ID", "x")], "SLURM_ARRAY_TASK_ID=x, which is no number");
    }

    #[test]
    fn tasks_of_a_slurm_step_are_counted_and_those_of_an_array_beside_them() {
        let step = [("SLURM_PROCID", "1"), ("SLURM_STEP_NUM_TASKS", "3")];
        assert_eq!(found("auto", &step), Ok("2/3".into()));
        // The seventh to ninth of twelve are those of the third job.
        assert_eq!(found("auto", &[&ARRAY[..], &step].concat()), Ok("8/12".into()));
        // A batch script is one process, however many tasks it may start, and so is a step of one task.
        refused("auto", &[("SLURM_PROCID", "0"), ("SLURM_NTASKS", "3")], "finds no number of its own");
        let single = [("SLURM_PROCID", "0"), ("SLURM_STEP_NUM_TASKS", "1")];
        assert_eq!(found("auto", &[&ARRAY[..], &single].concat()), Ok("3/4".into()));
        assert_eq!(found("auto", &single), Ok("1/1".into()));
    }

    #[test]
    fn ranks_of_mpi_launchers_are_known() {
        let open_mpi = [("OMPI_COMM_WORLD_RANK", "0"), ("OMPI_COMM_WORLD_SIZE", "2"), ("PMIX_RANK", "0")];
        assert_eq!(found("auto", &open_mpi), Ok("1/2".into()));
        let hydra = [("PMI_RANK", "4"), ("PMI_SIZE", "5")];
        assert_eq!(found("auto", &hydra), Ok("5/5".into()));
        // Open MPI starts its daemons as a step of Slurm: that is not what was started.
        let daemons = [("SLURM_PROCID", "1"), ("SLURM_STEP_NUM_TASKS", "2")];
        assert_eq!(found("auto", &[&open_mpi[..], &daemons].concat()), Ok("1/2".into()));
        refused("auto", &[&open_mpi[..], &hydra].concat(), "contradict each other");
        refused("auto", &[("PMI_RANK", "5"), ("PMI_SIZE", "5")], "there are only 5");
        refused("auto", &[("PMIX_RANK", "1")], "of how many");
        assert_eq!(found("auto/3", &[("PMIX_RANK", "1")]), Ok("2/3".into()));
    }

    #[test]
    fn kubernetes_says_which_and_not_of_how_many() {
        let pod = [("JOB_COMPLETION_INDEX", "6")];
        assert_eq!(found("auto/7", &pod), Ok("7/7".into()));
        refused("auto", &pod, "write `--shard auto/N`");
        refused("auto/6", &pod, "there are only 6");
        refused("auto", &[&ARRAY[..], &pod].concat(), "a job array of Slurm and an index of Kubernetes");
        let ranks = [("OMPI_COMM_WORLD_RANK", "1"), ("OMPI_COMM_WORLD_SIZE", "2")];
        assert_eq!(found("auto/14", &[&pod[..], &ranks].concat()), Ok("14/14".into()));
        refused("auto/7", &[&pod[..], &ranks].concat(), "no multiple of the 2 tasks");
    }
}
