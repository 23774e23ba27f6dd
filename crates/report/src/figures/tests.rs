//! Figures of charts that are hard to draw: no text is cut off, and none covers another.

use super::*;
use crate::{
    chart::{Axis, Color, Layer, Mark, Scale, Stroke},
    moments::Moments,
};
use microgrid_record::fixtures::{day::Day, whole_case};
use microgrid_scenario::schema::{Calendar, Market};
use resvg::usvg::{Group, Node, Rect};
use std::time::Duration;

fn chart(x: Axis, y: Axis, layers: Vec<Layer>) -> Chart {
    Chart { name: "hard".into(), title: "A hard chart".into(), caption: "It is & stays <hard>.".into(), x, y, layers }
}

fn line(name: &str, points: Vec<(f64, f64)>) -> Layer {
    Layer::new(name, Color::Series(0), Mark::Line(points, Stroke::Solid))
}

/// Where texts are.
fn texts(group: &Group, found: &mut Vec<Rect>) {
    for node in group.children() {
        match node {
            Node::Group(group) => texts(group, found),
            Node::Text(text) => found.push(text.abs_bounding_box()),
            _ => {}
        }
    }
}

/// Draws a chart, and checks that every text is on paper and covers no other.
fn drawn(chart: &Chart) -> String {
    let svg = svg(chart);
    let tree = png::tree(&svg);
    let mut found = Vec::new();
    texts(tree.root(), &mut found);
    assert!(found.len() >= 3, "there are a title and two labels at least");
    let (width, height) = (tree.size().width(), tree.size().height());
    for (n, text) in found.iter().enumerate() {
        let inside = text.left() >= 0.0 && text.top() >= 0.0 && text.right() <= width && text.bottom() <= height;
        assert!(inside, "{text:?} is cut off in {width} x {height}:\n{svg}");
        let covers = |other: &&Rect| {
            text.left() < other.right()
                && other.left() < text.right()
                && text.top() < other.bottom()
                && other.top() < text.bottom()
        };
        assert_eq!(found[n + 1..].iter().find(covers), None, "covers {text:?}:\n{svg}");
    }
    svg
}

#[test]
fn fields_have_the_colors_that_they_have_on_the_page() {
    let (_, scale) = crate::page::PLOTLY.split_once("Cividis:[[").unwrap();
    let stops = scale.split("]]").next().unwrap().split("],[");
    let stops: Vec<String> = stops.map(|stop| stop.split_once(',').unwrap().1.trim_matches('"').to_owned()).collect();
    let ours = heat::CIVIDIS.map(|(red, green, blue)| format!("rgb({red},{green},{blue})"));
    assert_eq!(stops, ours);
    assert!(include_str!("../page/script/figure.js").contains("colorscale: \"Cividis\""));
}

#[test]
#[allow(clippy::field_reassign_with_default)] // It has a field of its own.
fn moments_along_an_axis_touch_nothing() {
    let dates = |days: u32, minutes: u64| {
        let (start, zone) = ("2016-10-29".to_owned(), "Europe/Berlin".to_owned());
        let calendar = Calendar { start, zone, days, slot_length: Duration::from_secs(60 * minutes) };
        let mut market = Market::default();
        market.calendar = Some(calendar);
        market.dates().unwrap()
    };
    for days in (1..=24).chain([40, 62, 63, 120, 399, 400, 800, 1500]) {
        let dates = dates(days, if days > 30 { 60 } else { 15 });
        let of_slots = Moments::of_slots(&dates, 1..=dates.slots());
        let of_days = Moments::of_days(&dates, 0..=days as usize - 1);
        for moments in [of_slots, of_days] {
            let hours = Axis::of("hour").named((0..24).map(|hour| format!("{hour:02}:00")));
            let cells = vec![(0.0, 0.0, Some(1.0)), (moments.count as f64 - 1.0, 23.0, Some(2.0))];
            let field = Layer::unnamed(Color::Reference, Mark::Heat(cells, Axis::of("traded").unit("kWh").from_zero()));
            let time = || Axis::of("time").scale(Scale::Moments(moments.clone()));
            drawn(&chart(time(), hours, vec![field]));
            drawn(&chart(time(), Axis::of("y"), vec![line("a line", vec![(0.0, 1.0), (1.0, 2.0)])]));
        }
    }
}

#[test]
fn names_may_hold_any_sign() {
    let name = "a\u{1b}[31m<b>\u{0}\u{7}]]>--><!-- &amp; \"'\u{202e}\u{ffff}\nz";
    let axis = |scale| Axis::of(name).scale(scale);
    let names = Scale::Names(vec![name.to_owned(), "</svg>".to_owned()]);
    let layers = vec![line(name, vec![(0.0, 1.0), (1.0, 2.0)])];
    let chart = Chart { title: name.into(), caption: name.into(), ..chart(axis(names), axis(Scale::Linear), layers) };
    let svg = svg(&chart);
    assert!(!svg.contains("<b>") && svg.matches("</svg>").count() == 1, "{svg}");
    assert!(!png(&svg).is_empty());
}

#[test]
fn numbers_beyond_all_bounds_are_drawn_or_left_out() {
    let extremes = [0.0, 1.0, -1.0, 1e-320, 1e-250, 1e16, 9.1e18, -1e300, 1e300, f64::MAX, f64::MIN, f64::INFINITY];
    let scales = [Scale::Linear, Scale::LinearFromZero, Scale::Logarithmic, Scale::Between(0, 1)];
    let pairs =
        (0..extremes.len()).flat_map(|n| [1, 5].map(|next| (extremes[n], extremes[(n + next) % extremes.len()])));
    for (one, other) in pairs {
        for scale in &scales {
            let points = vec![(one, other), (other, one), (0.5, 0.5)];
            let marks = [
                Mark::Line(points.clone(), Stroke::Solid),
                Mark::Line(points.clone(), Stroke::Dashed),
                Mark::Steps(points.clone(), Stroke::Dotted),
                Mark::Points(points.clone()),
                Mark::Bars(points.clone()),
                Mark::Stack(points.clone()),
                Mark::Band(vec![(one, other, one), (other, one, one)]),
                Mark::Rule(one),
                Mark::Heat(vec![(0.0, 1.0, Some(one)), (1.0, 0.0, Some(other))], Axis::of("z").scale(scale.clone())),
            ];
            let layers = marks.map(|mark| Layer::new("a layer", Color::Series(1), mark)).to_vec();
            let axis = || Axis::of("amount").scale(scale.clone());
            png::tree(&svg(&chart(axis(), axis(), layers)));
        }
    }
    let none = Mark::Heat(vec![(0.0, 0.0, Some(0.0))], Axis::of("z").from_zero());
    png::tree(&svg(&chart(Axis::of("x"), Axis::of("y"), vec![Layer::new("nothing", Color::Series(1), none)])));
}

#[test]
fn what_others_have_put_beside_the_figures_stays() {
    let (_day, recorder) = whole_case(Day::new());
    let mut run = Run::open(recorder.folder()).unwrap();
    let data = Data::read(&run).unwrap();
    let folder = run.folder().join(FIGURES);
    fs::create_dir(&folder).unwrap();
    fs::write(folder.join("mine.svg"), "mine").unwrap();
    write(&mut run, &data).unwrap();
    // Of another run of the program, which drew more.
    fs::write(folder.join("old.svg"), "old").unwrap();
    run.name_files(|_| false, &["figures/old.svg".to_owned()]).unwrap();
    write(&mut run, &data).unwrap();
    let found: BTreeSet<String> =
        fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().file_name().display().to_string()).collect();
    let files = run.manifest().files.iter().filter_map(|file| file.strip_prefix("figures/").map(str::to_owned));
    let expected: BTreeSet<String> = files.chain(["mine.svg".to_owned()]).collect();
    assert!(found.len() > 3 && !found.contains("old.svg"), "{found:?}");
    assert_eq!(found, expected);
    assert_eq!(fs::read_to_string(folder.join("mine.svg")).unwrap(), "mine");
}

#[test]
fn where_no_figure_can_be_written_there_is_the_page_and_an_error() {
    let (_day, recorder) = whole_case(Day::new());
    let mut run = Run::open(recorder.folder()).unwrap();
    let figures = run.folder().join(FIGURES);
    fs::write(&figures, "in the way").unwrap();
    let error = crate::write(&mut run).unwrap_err();
    assert!(matches!(&error, RecordError::File { path, .. } if *path == figures), "{error}");
    assert!(run.folder().join("report.html").is_file());
}

#[test]
fn numbers_of_any_size_fit_their_axes() {
    for size in [1e-9, 3e-4, 0.7, 12.0, 4321.0, 8.7e6] {
        for (from, to) in [(0.0, 1.0), (-1.0, 1.0), (0.999_999, 1.0), (1.0, 1.0), (-5.0, -4.9)] {
            let points = vec![(size * from, size * from), (size * to, size * to)];
            for scale in [Scale::Linear, Scale::LinearFromZero] {
                let axis = || Axis::of("amount").unit("kWh").scale(scale.clone());
                drawn(&chart(axis(), axis(), vec![line("a line", points.clone())]));
            }
        }
    }
}

#[test]
fn logarithmic_axes_of_any_width_have_readable_ticks() {
    for (from, to) in [(1e-9, 1.0), (0.1, 0.2), (3.0, 3.0), (1e-3, 1e6), (2e-16, 5e-15), (0.02, 7.0)] {
        let axis = || Axis::of("distance").scale(Scale::Logarithmic);
        // Zero has no place there.
        let points = vec![(from, to), (to, from), (0.0, 0.0), (from, from)];
        drawn(&chart(axis(), axis(), vec![line("a line", points)]));
    }
}

#[test]
fn legends_and_titles_of_any_length_fit() {
    for count in [1, 3, 9, 25] {
        for long in [false, true] {
            let name =
                |n| if long { format!("adaptation = HalveOnOscillation, step = {n}") } else { format!("seller {n}") };
            let layer = |n| {
                let points = (0..5_u32).map(|x| (f64::from(x), f64::from(x) + n as f64)).collect();
                Layer::new(name(n), Color::Series(n), Mark::Steps(points, Stroke::Solid))
            };
            let mut chart = chart(Axis::of("time").unit("s"), Axis::of("price"), (0..count).map(layer).collect());
            chart.title =
                ["Distance from equilibrium"; 9][..if long { 9 } else { 1 }].join(" at the end of each slot, ");
            drawn(&chart);
        }
    }
}

#[test]
fn names_of_any_number_and_length_fit() {
    for count in [1, 2, 6, 24, 100, 2000] {
        for name in ["", "adaptation HalveOnOscillation ", "BestResponse(noise:0.5),"] {
            let names = || Scale::Names((0..count).map(|n| format!("{name}{n}")).collect());
            let bars = (0..count).map(|n| (n as f64, 1.0 + n as f64)).collect();
            let bar = Layer::new("bars", Color::Series(1), Mark::Bars(bars));
            drawn(&chart(Axis::of("slot").scale(names()), Axis::of("welfare").unit("CNY"), vec![bar]));
        }
    }
}

#[test]
fn fields_of_any_size_fit_and_tell_their_values_where_there_is_room() {
    for (columns, rows) in [(1, 1), (3, 2), (6, 5), (13, 13), (50, 40)] {
        for size in [1e-7, 0.25, 98_765.0] {
            let names = |count: usize| Scale::Names((0..count).map(|n| format!("{n}ms")).collect());
            let places = (0..columns).flat_map(|x| (0..rows).map(move |y| (x, y)));
            let cells = places.map(|(x, y)| (x as f64, y as f64, (x + y != 1).then_some(size * (x * y) as f64)));
            let values = Axis::of("time to equilibrium").unit("s");
            let heat = Layer::unnamed(Color::Reference, Mark::Heat(cells.collect(), values));
            let svg = drawn(&chart(
                Axis::of("delay").scale(names(columns)),
                Axis::of("period").scale(names(rows)),
                vec![heat],
            ));
            assert!(svg.matches("<rect").count() >= columns * rows);
        }
    }
}

#[test]
fn every_mark_is_drawn_and_lines_are_interrupted_where_there_is_nothing() {
    let points = vec![(0.0, 1.0), (1.0, 2.0), (2.0, f64::NAN), (3.0, 2.0), (4.0, 1.0)];
    let solid: Vec<_> = points.iter().copied().filter(|point| point.1.is_finite()).collect();
    let marks = vec![
        (Mark::Line(points, Stroke::Solid), "<polyline", 2),
        (Mark::Points(solid.clone()), "<polygon", 4),
        (Mark::Bars(solid.clone()), "<rect", 4),
        (Mark::Stack(solid.clone()), "<rect", 4),
        (Mark::Band(solid.iter().map(|point| (point.0, point.1 - 0.5, point.1)).collect()), "<polygon", 1),
        (Mark::Rule(1.0), "<polyline", 1),
    ];
    let draw = |layers| drawn(&chart(Axis::of("x"), Axis::of("y"), layers));
    for (mark, element, count) in marks {
        // Axes are the same in all: two corners that are not seen.
        let corners = || {
            Layer::unnamed(Color::Series(0), Mark::Line(vec![(0.0, 0.0), (f64::NAN, 0.0), (4.0, 3.0)], Stroke::Solid))
        };
        let with = draw(vec![corners(), Layer::unnamed(Color::Series(1), mark.clone())]);
        let without = draw(vec![corners()]);
        let drawn = with.matches(element).count().saturating_sub(without.matches(element).count());
        assert!(drawn >= count, "{mark:?} is drawn by {drawn} {element}");
    }
}

#[test]
fn a_figure_says_in_words_what_it_is_and_its_picture_is_as_large() {
    let svg = drawn(&chart(Axis::of("x"), Axis::of("y"), vec![line("a line", vec![(0.0, 0.0), (1.0, 1.0)])]));
    assert!(svg.contains("<title>A hard chart</title>\n<desc>It is &amp; stays &lt;hard&gt;.</desc>"));
    let picture = png(&svg);
    assert_eq!(&picture[..8], b"\x89PNG\r\n\x1a\n");
    let length = |at: usize| u32::from_be_bytes(picture[at..at + 4].try_into().unwrap());
    let tree = png::tree(&svg);
    assert_eq!(length(16), 1600, "twice the hundredths of eight inches");
    assert_eq!(length(20), (tree.size().height() / 96.0 * 200.0).round() as u32);
}

#[test]
fn figures_of_whatever_is_varied_have_names_for_files() {
    let mut names = BTreeSet::new();
    let mut name = |name: &str| file_name(name, &mut names);
    assert_eq!(name("welfare_cny_by_network.links[0].loss"), "welfare_cny_by_network.links[0].loss");
    assert_eq!(name("by_network.groups.a/b"), "by_network.groups.a_b");
    assert_eq!(name("by_network.groups.a\nb"), "by_network.groups.a_b_2");
    assert!(name(&"x".repeat(300)).len() < 200);
}
