package telemetry_test

import (
	"compress/gzip"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"sync"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel"
	metricsv1 "go.opentelemetry.io/proto/otlp/collector/metrics/v1"
	tracesv1 "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	"google.golang.org/protobuf/proto"

	"github.com/waypost-dev/waypost/server/telemetry"
)

// collector is what an OpenTelemetry collector does with what it is sent.
type collector struct {
	mu      sync.Mutex
	traces  []*tracesv1.ExportTraceServiceRequest
	metrics []*metricsv1.ExportMetricsServiceRequest
}

func (c *collector) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var body io.Reader = r.Body
	if r.Header.Get("Content-Encoding") == "gzip" {
		z, err := gzip.NewReader(r.Body)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		body = z
	}
	b, err := io.ReadAll(body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	switch r.URL.Path {
	case "/v1/traces":
		m := &tracesv1.ExportTraceServiceRequest{}
		err = proto.Unmarshal(b, m)
		c.traces = append(c.traces, m)
	case "/v1/metrics":
		m := &metricsv1.ExportMetricsServiceRequest{}
		err = proto.Unmarshal(b, m)
		c.metrics = append(c.metrics, m)
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
	}
}

// The exporters read the process's environment, so that this test is alone.
func TestTelemetry(t *testing.T) {
	c := &collector{}
	server := httptest.NewServer(c)
	defer server.Close()
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", server.URL)
	t.Setenv("OTEL_RESOURCE_ATTRIBUTES", "deployment.environment=test")
	tele, err := telemetry.Start(t.Context(), telemetry.Options{Version: "1.2.3", Getenv: os.Getenv, Logger: slog.New(slog.DiscardHandler)})
	require.NoError(t, err)
	require.True(t, tele.Tracing())
	registry := prometheus.NewRegistry()
	gauge := prometheus.NewGauge(prometheus.GaugeOpts{Name: "waypost_test", Help: "A test."})
	gauge.Set(42)
	registry.MustRegister(gauge)
	tele.Gather(registry)

	_, span := otel.Tracer("test").Start(t.Context(), "harvest")
	span.End()
	require.NoError(t, tele.Stop(t.Context()))

	c.mu.Lock()
	defer c.mu.Unlock()
	require.Len(t, c.traces, 1)
	of := c.traces[0].ResourceSpans[0]
	require.Equal(t, "harvest", of.ScopeSpans[0].Spans[0].Name)
	about := map[string]string{}
	for _, a := range of.Resource.Attributes {
		about[a.Key] = a.Value.GetStringValue()
	}
	require.Equal(t, "waypost", about["service.name"])
	require.Equal(t, "1.2.3", about["service.version"])
	require.Equal(t, "test", about["deployment.environment"])
	require.NotEmpty(t, c.metrics)
	found := false
	for _, scope := range c.metrics[len(c.metrics)-1].ResourceMetrics[0].ScopeMetrics {
		for _, m := range scope.Metrics {
			if m.Name == "waypost_test" {
				found = true
				require.InDelta(t, 42, m.GetGauge().DataPoints[0].GetAsDouble(), 0)
			}
		}
	}
	require.True(t, found)
}

func TestNothingWithoutAnEndpoint(t *testing.T) {
	for name, environ := range map[string]map[string]string{
		"unset":    {},
		"disabled": {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1", "OTEL_SDK_DISABLED": "true"},
		"none":     {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1", "OTEL_TRACES_EXPORTER": "none", "OTEL_METRICS_EXPORTER": "none"},
	} {
		t.Run(name, func(t *testing.T) {
			tele, err := telemetry.Start(t.Context(), telemetry.Options{Getenv: func(k string) string { return environ[k] }, Logger: slog.New(slog.DiscardHandler)})
			require.NoError(t, err)
			require.False(t, tele.Tracing())
			tele.Gather(prometheus.NewRegistry())
			require.NoError(t, tele.Stop(t.Context()))
		})
	}
}
