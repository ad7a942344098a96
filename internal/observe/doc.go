// Package observe sets up what the operator sees: structured logs and metrics,
// and the type that keeps secrets out of both.
//
// It is the only package that knows Prometheus. The others call small methods
// of Metrics; on a nil *Metrics they do nothing, so that tests need none.
package observe
