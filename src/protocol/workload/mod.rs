//! Workloads: when requests are due.
//!
//! Two things are said apart. A *rate* says how many requests are due in the mean, and may change with time ([`rate`]). An
//! *arrival process* says how they are spread around that mean ([`arrivals`]).
//!
//! They meet in a change of time: a process of rate one, played on a clock that shows the number of requests due so far, has
//! the wanted rate at any time (Çinlar, Introduction to Stochastic Processes, 1975, ch. 4.7). So each arrival takes one draw,
//! whatever the rate does, and every process goes with every rate.

pub mod arrivals;
pub mod rate;
