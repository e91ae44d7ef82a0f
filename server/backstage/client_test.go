package backstage

import (
	"context"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestClient has Backstage's own client call every method that it has.
func TestClient(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	dir := filepath.Join("testdata", "client")
	node, err := exec.LookPath("node")
	if err == nil {
		_, err = os.Stat(filepath.Join(dir, "node_modules", "@backstage", "catalog-client"))
	}
	if err != nil {
		message := "Backstage's client cannot run: " + err.Error() + "; run npm ci in server/backstage/testdata/client"
		if os.Getenv("WAYPOST_REQUIRE_ALL") == "1" {
			t.Fatal(message)
		}
		t.Skip("SKIPPED: " + message)
	}
	server := httptest.NewServer(w.Handler)
	defer server.Close()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, node, "client.mjs", server.URL, w.remote.URL+"/catalog-info.yaml")
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, string(out))
	t.Logf("%s", out)
}
