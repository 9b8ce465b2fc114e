#pragma once

namespace kvscope {

/// P(Z > z) of the standard normal distribution.
double normal_upper_tail(double z);

/// The z with P(Z <= z) = `probability`, 0 < probability < 1, else Error(kConfig).
double normal_quantile(double probability);

/// P(T > t) of Student's t with `degrees` > 0 of freedom (any positive number).
double student_t_upper_tail(double t, double degrees);

/// The t with P(T <= t) = `probability`; arguments as above, else Error(kConfig).
double student_t_quantile(double probability, double degrees);

}  // namespace kvscope
