package catalog

// Via is the way by which a change came into the catalog.
type Via string

const (
	ViaHarvest Via = "harvest" // a harvest of a whole source
	ViaWebhook Via = "webhook" // an announcement of the forge
	ViaAPI     Via = "api"     // a caller of the API or the command line
	ViaPlugin  Via = "plugin"  // a plugin, which Actor names
	ViaPolicy  Via = "policy"  // time alone, such as an orphan whose time is over
)

// Cause is who or what brought a change about. The commit and the document are
// in the Origin of the entity that changed; Commit here is set where that one
// cannot tell, as for an entity that a commit removed.
type Cause struct {
	Via Via `json:"via,omitempty"`
	// Harvest is the number of its record; 0 if there is none.
	Harvest int64 `json:"harvest,omitempty"`
	// Actor is the login of the commit's author where the forge gives it, or
	// the caller of the API; empty if unknown.
	Actor string `json:"actor,omitempty"`
	// Commit is in hex.
	Commit string `json:"commit,omitempty"`
	// Delivery is the forge's id of the webhook delivery.
	Delivery string `json:"delivery,omitempty"`
}
