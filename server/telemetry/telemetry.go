// Package telemetry sends traces and metrics to an OpenTelemetry collector, if
// the environment names one. The variables are OpenTelemetry's own:
// OTEL_EXPORTER_OTLP_ENDPOINT and its relatives, OTEL_SERVICE_NAME,
// OTEL_RESOURCE_ATTRIBUTES, OTEL_TRACES_SAMPLER, OTEL_SDK_DISABLED.
// https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/
//
// Without an endpoint nothing is recorded and nothing is sent.
package telemetry

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync/atomic"
	"time"

	client "github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"go.opentelemetry.io/contrib/bridges/prometheus"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/exporters/otlp/otlpmetric/otlpmetricgrpc"
	"go.opentelemetry.io/otel/exporters/otlp/otlpmetric/otlpmetrichttp"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracegrpc"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/resource"
	"go.opentelemetry.io/otel/sdk/trace"
	semconv "go.opentelemetry.io/otel/semconv/v1.37.0"
)

// Options say what is sent, and as whom.
type Options struct {
	Version string
	// Getenv is as os.Getenv. The exporters themselves read the process's
	// environment; this decides whether there are any.
	Getenv func(string) string
	Logger *slog.Logger
}

// Telemetry is what is sent. The zero value sends nothing.
type Telemetry struct {
	traces  *trace.TracerProvider
	metrics *metric.MeterProvider
	gather  func(client.Gatherer)
}

// later is a Gatherer that is known only after the exporter was made.
type later struct {
	from atomic.Pointer[client.Gatherer]
}

func (l *later) set(from client.Gatherer) { l.from.Store(&from) }

// Gather implements prometheus.Gatherer.
func (l *later) Gather() ([]*dto.MetricFamily, error) {
	if from := l.from.Load(); from != nil {
		return (*from).Gather()
	}
	return nil, nil
}

// Start sets OpenTelemetry's global tracer up and returns what Stop ends. It
// does not wait for the collector: one that is not there is tried again, and
// told in the log.
func Start(ctx context.Context, o Options) (*Telemetry, error) {
	t := &Telemetry{}
	if strings.EqualFold(o.Getenv("OTEL_SDK_DISABLED"), "true") || !wanted(o, "TRACES") && !wanted(o, "METRICS") {
		return t, nil
	}
	otel.SetErrorHandler(otel.ErrorHandlerFunc(func(err error) {
		o.Logger.Warn("telemetry cannot be sent", "error", err)
	}))
	about, err := resource.New(ctx,
		resource.WithAttributes(semconv.ServiceName("waypost"), semconv.ServiceVersion(o.Version)),
		resource.WithHost(), resource.WithTelemetrySDK(), resource.WithFromEnv(), // the last one wins
	)
	if err != nil && !errors.Is(err, resource.ErrPartialResource) {
		return nil, fmt.Errorf("describe this process to OpenTelemetry: %w", err)
	}
	if wanted(o, "TRACES") {
		exporter, err := traces(ctx, o)
		if err != nil {
			return nil, fmt.Errorf("send traces: %w", err)
		}
		t.traces = trace.NewTracerProvider(trace.WithBatcher(exporter), trace.WithResource(about))
		otel.SetTracerProvider(t.traces)
		otel.SetTextMapPropagator(propagation.NewCompositeTextMapPropagator(propagation.TraceContext{}, propagation.Baggage{}))
	}
	if wanted(o, "METRICS") {
		exporter, err := metrics(ctx, o)
		if err != nil {
			return nil, errors.Join(fmt.Errorf("send metrics: %w", err), t.Stop(ctx))
		}
		// The metrics are those of /metrics, so that there is one set of them.
		gathered := &later{}
		t.metrics = metric.NewMeterProvider(metric.WithResource(about),
			metric.WithReader(metric.NewPeriodicReader(exporter, metric.WithProducer(prometheus.NewMetricProducer(prometheus.WithGatherer(gathered))))))
		t.gather = gathered.set
	}
	return t, nil
}

// wanted tells whether a signal has somewhere to go.
func wanted(o Options, signal string) bool {
	exporter := strings.ToLower(o.Getenv("OTEL_" + signal + "_EXPORTER"))
	return exporter != "none" && cmp.Or(o.Getenv("OTEL_EXPORTER_OTLP_"+signal+"_ENDPOINT"), o.Getenv("OTEL_EXPORTER_OTLP_ENDPOINT")) != ""
}

// overGRPC tells which of the two protocols is configured.
func overGRPC(o Options, signal string) bool {
	return cmp.Or(o.Getenv("OTEL_EXPORTER_OTLP_"+signal+"_PROTOCOL"), o.Getenv("OTEL_EXPORTER_OTLP_PROTOCOL")) == "grpc"
}

func traces(ctx context.Context, o Options) (trace.SpanExporter, error) {
	if overGRPC(o, "TRACES") {
		return otlptracegrpc.New(ctx)
	}
	return otlptracehttp.New(ctx)
}

func metrics(ctx context.Context, o Options) (metric.Exporter, error) {
	if overGRPC(o, "METRICS") {
		return otlpmetricgrpc.New(ctx)
	}
	return otlpmetrichttp.New(ctx)
}

// Gather says what the metrics are, once there are any.
func (t *Telemetry) Gather(from client.Gatherer) {
	if t.gather != nil {
		t.gather(from)
	}
}

// Tracing tells whether traces are recorded.
func (t *Telemetry) Tracing() bool { return t.traces != nil }

// stopWithin bounds the sending of what is left.
const stopWithin = 3 * time.Second

// Stop sends what is left, for a few seconds at most.
func (t *Telemetry) Stop(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, stopWithin)
	defer cancel()
	var errs []error
	if t.metrics != nil {
		errs = append(errs, t.metrics.Shutdown(ctx))
	}
	if t.traces != nil {
		errs = append(errs, t.traces.Shutdown(ctx))
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("send the last telemetry: %w", err)
	}
	return nil
}
