//! Published round-trip times between regions, by name: the registry of presets.
//!
//! Every matrix says who measured it, how and when, and holds the numbers as they were published. Where the two directions of
//! a pair were published with different numbers, the one from the region that is listed first stands for both.

use crate::base::time::{Span, ms};

/// Round-trip times between regions, as somebody has published them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Matrix {
    /// The name, as scenarios spell it.
    pub name: &'static str,
    /// What it is, in a sentence.
    pub summary: &'static str,
    /// Who published it, where and when, and what was measured.
    pub source: &'static str,
    /// The regions, in the spelling of scenarios.
    pub regions: &'static [&'static str],
    /// Milliseconds from each region to those after it.
    rtt_ms: &'static [&'static [u64]],
}

impl Matrix {
    /// The matrix called `name`.
    pub fn named(name: &str) -> Option<&'static Self> {
        MATRICES.iter().find(|matrix| matrix.name == name)
    }

    /// Every pair of regions with its round-trip time; each pair once.
    pub fn pairs(&self) -> impl Iterator<Item = (&'static str, &'static str, Span)> {
        let (regions, rows) = (self.regions, self.rtt_ms);
        rows.iter().zip(0..).flat_map(move |(row, from)| {
            row.iter().zip(&regions[from + 1..]).map(move |(rtt, to)| (regions[from], *to, ms(*rtt)))
        })
    }
}

/// All matrices that have a name.
pub const MATRICES: &[Matrix] = &[AZURE_2023, IBM_CLOUD_2024];

const AZURE_2023: Matrix = Matrix {
    name: "azure-2023",
    summary: "Seven Azure regions on five continents, median round trips of June and July 2023.",
    source: "Microsoft, Azure network round-trip latency statistics, \
             learn.microsoft.com/azure/networking/azure-network-latency, dataset of 21 July 2023: the median of 30 days, \
             probed once a minute",
    regions: &["east-us", "west-us", "west-europe", "southeast-asia", "japan-east", "australia-east", "brazil-south"],
    rtt_ms: &[
        &[64, 83, 222, 156, 204, 115],
        &[143, 169, 106, 148, 179],
        &[156, 219, 239, 183],
        &[70, 89, 340],
        &[101, 275],
        &[319],
    ],
};

const IBM_CLOUD_2024: Matrix = Matrix {
    name: "ibm-cloud-2024",
    summary: "Ten IBM Cloud regions on five continents, mean round trips of July and August 2024.",
    source: "IBM, Network latency dashboards, cloud.ibm.com/docs/vpc?topic=vpc-network-latency-dashboard, snapshot of 25 \
             August 2024: the mean of 30 days, between virtual machines, with netperf TCP_RR",
    regions: &["us-south", "ca-tor", "us-east", "eu-de", "eu-gb", "eu-es", "jp-osa", "au-syd", "jp-tok", "br-sao"],
    rtt_ms: &[
        &[34, 31, 123, 113, 119, 150, 186, 143, 146],
        &[19, 93, 82, 108, 168, 215, 162, 129],
        &[91, 75, 87, 172, 214, 164, 118],
        &[13, 29, 232, 250, 233, 198],
        &[27, 244, 261, 243, 188],
        &[257, 275, 258, 209],
        &[122, 9, 293],
        &[115, 328],
        &[284],
    ],
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_matrix_is_complete_and_says_where_it_is_from() {
        for (index, matrix) in MATRICES.iter().enumerate() {
            let regions = matrix.regions.len();
            assert_eq!(matrix.pairs().count(), regions * (regions - 1) / 2, "{}", matrix.name);
            assert!(
                matrix.rtt_ms.iter().zip(0..).all(|(row, from)| row.len() + from + 1 == regions),
                "{}",
                matrix.name
            );
            assert!(matrix.summary.ends_with('.') && matrix.source.contains("20"), "{}", matrix.name);
            assert!(MATRICES[..index].iter().all(|other| other.name != matrix.name), "{} twice", matrix.name);
            assert_eq!(Matrix::named(matrix.name), Some(matrix));
        }
    }

    #[test]
    fn a_pair_is_read_off_the_triangle() {
        let pairs: Vec<_> = Matrix::named("azure-2023").unwrap().pairs().collect();
        assert_eq!(pairs[0], ("east-us", "west-us", ms(64)));
        assert!(pairs.contains(&("west-europe", "japan-east", ms(219))));
        assert_eq!(pairs.last(), Some(&("australia-east", "brazil-south", ms(319))));
    }
}
