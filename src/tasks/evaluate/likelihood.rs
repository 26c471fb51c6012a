//! How well the model explains the cells it is judged on.

use rand::seq::index;

use super::judging::Judging;
use crate::evaluation::report::{CellLikelihood, Likelihood, Report};
use crate::jobs::Progress;
use crate::random;
use crate::training::importance_bounds;

impl Judging<'_> {
    /// Write the likelihood of `cells` (rows) into `report`, or tell why not.
    pub fn likelihood(
        &self,
        cells: &[u32],
        report: &mut Report,
        progress: &dyn Progress,
    ) -> anyhow::Result<Vec<String>> {
        let options = self.options;
        if options.particles == 0 {
            return Ok(Vec::new());
        }
        if !self.trained_on {
            return Ok(vec![
                "No IW-ELBO: what the model's encoder expects of a gene is known only with the data set it was trained on"
                    .to_owned(),
            ]);
        }
        if self.model.lacks_prior() {
            return Ok(vec![
                "No IW-ELBO: the prior of the mask was a network known beforehand, which model files of earlier versions do not keep; \
                 train again to have it"
                    .to_owned(),
            ]);
        }
        let screen = self.screen(progress)?;
        // Cells that no model input was prepared of, those of perturbations left out, cannot be asked about.
        let positions: Vec<u32> =
            cells.iter().filter_map(|row| screen.cells.binary_search(row).ok()).map(|at| at as u32).collect();
        let chosen: Vec<u32> = match positions.len() {
            all if all > options.weighed_cells => {
                let mut random = random::stream(self.model.card().settings.seed, "weighed cells");
                let mut drawn = index::sample(&mut random, all, options.weighed_cells).into_vec();
                drawn.sort_unstable();
                drawn.into_iter().map(|at| positions[at]).collect()
            }
            _ => positions.clone(),
        };
        let members = self.model.member_count();
        let each = options.particles.div_ceil(members);
        let found = importance_bounds(self.model, &screen, &chosen, each, progress)?;
        let cells: Vec<CellLikelihood> = chosen
            .iter()
            .enumerate()
            .map(|(at, &position)| CellLikelihood {
                condition: self.condition(screen.cells[position as usize]),
                bound: found.bounds[at],
                elbo: found.elbos[at],
                effective: found.effective[at],
            })
            .collect();
        report.likelihood = Likelihood::of(&cells, each * members, positions.len());
        Ok(Vec::new())
    }
}
