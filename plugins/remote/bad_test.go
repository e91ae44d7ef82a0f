package remote_test

import (
	"context"
	"fmt"
	"math"
	"os"
	"strings"
	"testing"
	"time"

	goplugin "github.com/hashicorp/go-plugin"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/structpb"

	"github.com/waypost-dev/waypost/plugins/remote"
	pluginv1 "github.com/waypost-dev/waypost/proto/waypost/plugin/v1"
)

// TestMain is a plugin when a server under test starts the test's own binary: a bad
// one, but for versatile.
func TestMain(m *testing.M) {
	if os.Getenv("WAYPOST_PLUGIN") != "" && os.Args[1] == "versatile" {
		remote.Serve(&versatile{})
		return
	}
	if os.Getenv("WAYPOST_PLUGIN") != "" {
		goplugin.Serve(&goplugin.ServeConfig{
			HandshakeConfig: goplugin.HandshakeConfig{ProtocolVersion: 1, MagicCookieKey: "WAYPOST_PLUGIN", MagicCookieValue: "waypost.plugin.v1.RemoteService"},
			Plugins:         goplugin.PluginSet{"plugin": wired{}},
			GRPCServer: func(o []grpc.ServerOption) *grpc.Server {
				return grpc.NewServer(append(o, grpc.MaxSendMsgSize(math.MaxInt32))...)
			},
		})
		return
	}
	os.Exit(m.Run())
}

type wired struct {
	goplugin.NetRPCUnsupportedPlugin
}

func (wired) GRPCServer(_ *goplugin.GRPCBroker, s *grpc.Server) error {
	pluginv1.RegisterRemoteServiceServer(s, &bad{file: os.Args[1]})
	return nil
}

func (wired) GRPCClient(context.Context, *goplugin.GRPCBroker, *grpc.ClientConn) (any, error) {
	return nil, nil
}

// bad does what its file says, anew in each call.
type bad struct {
	pluginv1.UnimplementedRemoteServiceServer
	file   string
	config *structpb.Struct
}

func (b *bad) does() string {
	text, err := os.ReadFile(b.file)
	if err != nil {
		return err.Error()
	}
	return string(text)
}

func (b *bad) Describe(context.Context, *pluginv1.DescribeRequest) (*pluginv1.DescribeResponse, error) {
	d := &pluginv1.Descriptor{
		Name: "bad", Version: "1.0.0", Summary: "Does harm.",
		Facts: []*pluginv1.FactType{{
			Key: "bad.value", Title: "Value", Schema: &structpb.Struct{Fields: map[string]*structpb.Value{"type": structpb.NewStringValue("string")}},
		}},
		Roles:  []pluginv1.Role{pluginv1.Role_ROLE_ENRICH},
		Limits: &pluginv1.Limits{Deadline: durationpb.New(2 * time.Second), Concurrent: 4},
	}
	switch does := b.does(); does {
	case "describes itself otherwise":
		d.Version = "2.0.0"
	case "serves":
		d.Roles = append(d.Roles, pluginv1.Role_ROLE_SERVE)
	case "never describes itself":
		time.Sleep(time.Hour)
	case "another name":
		d.Name, d.Facts = "other", nil
	}
	return &pluginv1.DescribeResponse{Descriptor_: d}, nil
}

func (b *bad) Configure(_ context.Context, r *pluginv1.ConfigureRequest) (*pluginv1.ConfigureResponse, error) {
	b.config = r.GetConfig()
	return &pluginv1.ConfigureResponse{}, nil
}

func (b *bad) Enrich(_ context.Context, r *pluginv1.EnrichRequest) (*pluginv1.EnrichResponse, error) {
	does := b.does()
	key, value := "bad.value", structpb.NewStringValue(does)
	switch does {
	case "exits":
		os.Exit(3)
	case "hangs":
		time.Sleep(time.Hour)
	case "sends 1 GB":
		value = structpb.NewStringValue(strings.Repeat("x", 1<<30))
	case "writes 100 MB to stderr":
		line := strings.Repeat("y", 1<<20) // without an end
		for range 100 {
			fmt.Fprint(os.NewFile(2, "stderr"), line)
		}
		fmt.Fprintln(os.NewFile(2, "stderr"))
	case "writes 100 MB of lines":
		line := strings.Repeat(strings.Repeat("z", 99)+"\n", 10_000)
		for range 100 {
			fmt.Fprint(os.Stdout, line)
		}
	case "answers too little":
		return &pluginv1.EnrichResponse{}, nil
	case "says what it does not declare":
		key = "bad.other"
	case "says an invalid value":
		value = structpb.NewBoolValue(true)
	case "says NaN":
		value = structpb.NewNumberValue(math.NaN())
	case "says no value":
		value = nil
	case "environment":
		value = structpb.NewStringValue(strings.Join(os.Environ(), "\n"))
	case "config":
		value = structpb.NewStringValue(b.config.String())
	case "files":
		open, err := os.ReadDir("/proc/self/fd")
		if err != nil {
			return nil, err
		}
		var names []string
		for _, f := range open {
			target, _ := os.Readlink("/proc/self/fd/" + f.Name())
			names = append(names, target)
		}
		value = structpb.NewStringValue(strings.Join(names, "\n"))
	}
	out := &pluginv1.EnrichResponse{}
	for range r.GetSubjects() {
		out.Answers = append(out.Answers, &pluginv1.Answer{Facts: []*pluginv1.Fact{{Key: key, Value: value}}})
	}
	return out, nil
}
