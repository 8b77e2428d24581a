//! Which traces are recorded. The SDK reads the variables, and passes over what it does not know without a word.

/// The samplers of the SDK, and whether a share follows in `OTEL_TRACES_SAMPLER_ARG`.
const SAMPLERS: [(&str, bool); 6] = [
    ("always_on", false),
    ("always_off", false),
    ("traceidratio", true),
    ("parentbased_always_on", false),
    ("parentbased_always_off", false),
    ("parentbased_traceidratio", true),
];

/// What of the variables for sampling is of no use, if anything is.
pub(super) fn problem(variable: impl Fn(&str) -> Option<String>) -> Option<String> {
    let name = variable("OTEL_TRACES_SAMPLER")?;
    let Some((_, has_share)) = SAMPLERS.iter().find(|(known, _)| *known == name) else {
        let known = SAMPLERS.map(|(known, _)| known).join(", ");
        return Some(format!(
            "OTEL_TRACES_SAMPLER is \"{name}\"; what is known is {known}"
        ));
    };
    let share = variable("OTEL_TRACES_SAMPLER_ARG").unwrap_or_default();
    let is_share = share.parse().is_ok_and(|share: f64| (0.0..=1.0).contains(&share));
    (*has_share && !is_share)
        .then(|| format!("OTEL_TRACES_SAMPLER_ARG is \"{share}\"; \"{name}\" takes a share such as \"0.1\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_the_sdk_would_pass_over_is_a_problem() {
        let of = |sampler: Option<&str>, share: Option<&str>| {
            problem(|name| match name {
                "OTEL_TRACES_SAMPLER" => sampler.map(str::to_owned),
                _ => share.map(str::to_owned),
            })
        };
        assert_eq!(of(None, Some("much")), None);
        assert_eq!(of(Some("always_off"), Some("much")), None);
        assert_eq!(of(Some("traceidratio"), Some("0.25")), None);
        assert!(
            of(Some("parentbased_traceidratio"), Some("25%"))
                .unwrap()
                .contains("25%")
        );
        assert!(of(Some("traceidratio"), Some("2")).unwrap().contains("0.1"));
        assert!(of(Some("traceidratio"), None).is_some());
        assert!(of(Some("sometimes"), None).unwrap().contains("always_on"));
    }
}
