"""The functions a statement may use: pure, reading nothing but their arguments, the same answer every time."""

_SCALARS = """
+ - * / // % ** ^ = == != <> < <= > >= && || ! ~ & | << >> @ ~~ !~~ ~~* !~~* ~~~ and or not
abs acos add asin atan atan2 cbrt ceil ceiling cos cosh cot degrees divide even exp factorial floor fmod gcd isfinite
isinf isnan lcm ln log log10 log2 mod multiply pi pow power radians round round_even roundbankers sign signbit sin sinh
sqrt subtract tan tanh trunc xor
coalesce ifnull nullif greatest least if case __cast cast try_cast error_free
ascii bar chr concat concat_ws contains ends_with format_bytes instr lcase left length len like_escape lower lpad ltrim
not_like_escape ilike_escape not_ilike_escape prefix suffix position regexp_extract regexp_full_match regexp_matches
regexp_replace repeat replace reverse right rpad rtrim split_part starts_with strip_accents strlen strpos substr
substring translate trim ucase unicode upper levenshtein jaro_similarity
md5 sha256
century date_diff datediff date_part datepart date_sub datesub date_trunc datetrunc date_add day dayname dayofmonth
dayofweek dayofyear decade epoch epoch_ms epoch_us era extract hour isodow isoyear last_day make_date make_timestamp
microsecond millennium millisecond minute month monthname quarter second strftime strptime try_strptime
time_bucket timezone to_days to_hours to_minutes to_months to_seconds to_weeks to_years to_timestamp week weekday
weekofyear year yearweek date timestamp interval
list_value list_aggregate list_contains list_count list_max list_min list_sum list_avg list_sort len array_length
constant_or_null
"""
_AGGREGATES = """
any_value arg_max arg_min argmax argmin avg bit_and bit_or bit_xor bool_and bool_or corr count count_if count_star
countif covar_pop covar_samp entropy favg fsum kahan_sum kurtosis mad max max_by mean median min min_by mode product
quantile quantile_cont quantile_disc regr_slope regr_intercept regr_r2 sem skewness stddev stddev_pop stddev_samp sum
sum_no_overflow sumkahan var_pop var_samp variance
"""
AGGREGATES_AND_SCALARS = frozenset((_SCALARS + _AGGREGATES).split())
_WINDOWS = """
row_number rank dense_rank rank_dense percent_rank cume_dist ntile lag lead first_value last_value nth_value first last
"""
WINDOWS = frozenset(_WINDOWS.split())
