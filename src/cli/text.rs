//! Tables and numbers for people.

use crate::tasks::report::ReportTable;

/// Lines of cells in columns: the first column to the left, the others to the right, two spaces between.
pub(super) fn table(header: &[&str], rows: &[Vec<String>]) -> String {
    let mut widths: Vec<usize> = header.iter().map(|cell| cell.chars().count()).collect();
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let line = |cells: &mut dyn Iterator<Item = &str>| {
        let mut line = String::new();
        for (at, (cell, &width)) in cells.zip(&widths).enumerate() {
            let space = " ".repeat(width - cell.chars().count());
            if at == 0 {
                line.push_str(cell);
                line.push_str(&space);
            } else {
                line.push_str("  ");
                line.push_str(&space);
                line.push_str(cell);
            }
        }
        format!("{}\n", line.trim_end())
    };
    let mut text = line(&mut header.iter().copied());
    for row in rows {
        text.push_str(&line(&mut row.iter().map(String::as_str)));
    }
    text
}

/// A table of a report behind an empty line, with its title and what is to be said of it.
pub(super) fn told(of: &ReportTable) -> String {
    let header: Vec<&str> = of.header.iter().map(|head| head.title).collect();
    // Programs that read numbers know no other minus.
    let rows: Vec<Vec<String>> =
        of.rows.iter().map(|row| row.iter().map(|cell| cell.replace('−', "-")).collect()).collect();
    let note = if of.note.is_empty() { String::new() } else { format!("{}\n", of.note) };
    format!("\n{}\n{}{note}", of.title, table(&header, &rows))
}

/// `0.61`, or `–` where there is no value.
pub(super) fn number(value: Option<f64>, decimals: usize) -> String {
    value.map_or_else(|| "–".to_owned(), |value| format!("{value:.decimals$}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up() {
        let rows = [vec!["A".to_owned(), "1.5".to_owned()], vec!["longer".to_owned(), "–".to_owned()]];
        assert_eq!(table(&["name", "r"], &rows), "name      r\nA       1.5\nlonger    –\n");
    }

    #[test]
    fn a_value_that_is_absent_is_a_dash() {
        assert_eq!(number(Some(0.617), 2), "0.62");
        assert_eq!(number(None, 2), "–");
    }
}
