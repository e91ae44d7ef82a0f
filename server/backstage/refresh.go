package backstage

import (
	"net/http"

	"github.com/waypost-dev/waypost/server/catalog"
)

// refresh is POST /refresh. It returns when the entity was read again.
func (c *call) refresh() error {
	body, err := c.body()
	if err != nil {
		return err
	}
	written, err := required(body, "body", "entityRef")
	if err != nil {
		return err
	}
	ref, err := catalog.ParseRef(written, catalog.RefContext{})
	if err != nil {
		return notFound("Entity %s not found", clip(written))
	}
	r, ok := c.view.snapshot().Get(ref)
	if !ok {
		return notFound("Entity %s not found", clip(written))
	}
	if c.o.RefreshEntity != nil {
		if err := c.o.RefreshEntity(c.r.Context(), r.Entity.Ref); err != nil {
			c.log.Warn("an entity cannot be refreshed", "entity", ref.Key(), "error", err)
			return &failure{http.StatusServiceUnavailable, "ServiceUnavailableError", "Entity " + clip(ref.Key()) + " cannot be read again now: " + clip(err.Error())}
		}
	}
	c.w.WriteHeader(http.StatusOK)
	return nil
}
