//! Keys that are dealt with before a scenario has types: they say which values the others have.

/// Each with what it means, in one paragraph or several.
pub(super) const EARLY: [(&str, &str); 5] = [
    ("extends", "Files that this one starts from, left to right; in a named table, tables of its section."),
    ("remove", "Paths to delete from what this file or table starts from."),
    ("params", "Values by name, used whole wherever a value is `\"$name\"`."),
    (
        "variants",
        "Changes by name, which `--variant NAME` lays over everything else and `compare` plays beside the base.",
    ),
    (
        "sweep",
        "What `rehearsal sweep` varies: paths with lists of values (`params.load = [\"500/s\", \"1000/s\"]`) or ranges: \
         `{ from, to, step }` in steps, `{ from, to, log = N }` for N values of which each is the same multiple of the one before, \
         `{ from, to }` for whole numbers one apart; `log = true` for a range from which a design draws by factors.\n\
         \n\
         `design = \"full\"`, the default, tries each value with each of the others; `{ latin-hypercube = N }` and `{ sobol = N }` \
         try N points that fill the space evenly (of a list or of steps, each value equally often), for which a range needs no `step`. \
         `constraints = [\"PATH < PATH\", \"PATH != VALUE\"]` leaves out points at which they do not hold.\n\
         \n\
         All points share the seed, so that their runs are paired.",
    ),
];
