// Package remote runs plugins in processes of their own, and lets a plugin
// written in Go be such a process (Serve).
//
// The host starts the plugin's command, shakes hands with it as go-plugin does
// (a line on its standard output that names a Unix socket), and calls
// waypost.plugin.v1.RemoteService over that socket. The socket lies in a folder
// that only the user of the server can enter, which is what keeps others out:
// go-plugin's automatic TLS would need every language to make certificates.
//
// What a plugin does to its own process stays there. The host starts it again,
// and until then each call fails at once.
package remote

import (
	"context"

	goplugin "github.com/hashicorp/go-plugin"
	"google.golang.org/grpc"

	pluginv1 "github.com/waypost-dev/waypost/proto/waypost/plugin/v1"
)

// maxMessage is how many bytes a message may have, either way.
const maxMessage = 16 << 20

// dispensed is the name under which go-plugin knows the service.
const dispensed = "plugin"

// handshake tells a plugin that a Waypost server started it. It is no secret: it
// only keeps people from starting a plugin by hand and waiting.
var handshake = goplugin.HandshakeConfig{
	ProtocolVersion:  1,
	MagicCookieKey:   "WAYPOST_PLUGIN",
	MagicCookieValue: "waypost.plugin.v1.RemoteService",
}

// link is the service as go-plugin registers it on either side.
type link struct {
	goplugin.NetRPCUnsupportedPlugin
	server pluginv1.RemoteServiceServer
}

func (l link) GRPCServer(_ *goplugin.GRPCBroker, s *grpc.Server) error {
	pluginv1.RegisterRemoteServiceServer(s, l.server)
	return nil
}

func (link) GRPCClient(_ context.Context, _ *goplugin.GRPCBroker, conn *grpc.ClientConn) (any, error) {
	return pluginv1.NewRemoteServiceClient(conn), nil
}
