package enrich

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/waypost-dev/waypost/plugins"
	"github.com/waypost-dev/waypost/server/store"
)

// records are those of one plugin in the store.
type records struct {
	store  *store.Store
	plugin string
}

func (r records) Get(ctx context.Context, key string) (plugins.Record, error) {
	got, err := r.store.GetRecord(ctx, r.plugin, key)
	if errors.Is(err, store.ErrNotFound) {
		return plugins.Record{}, fmt.Errorf("%s: %w", key, plugins.ErrNoRecord)
	}
	return record(got), err
}

func (r records) List(ctx context.Context, prefix, after string, limit int) ([]plugins.Record, error) {
	got, err := r.store.Records(ctx, r.plugin, prefix, after, limit)
	out := make([]plugins.Record, len(got))
	for i, x := range got {
		out[i] = record(x)
	}
	return out, err
}

func (r records) Put(ctx context.Context, key string, value any, version int64) error {
	b, err := json.Marshal(value)
	if err != nil {
		return fmt.Errorf("record %s: %w", key, err)
	}
	err = r.store.PutRecord(ctx, r.plugin, key, b, version)
	if errors.Is(err, store.ErrChanged) {
		return fmt.Errorf("record %s: %w", key, plugins.ErrRecordChanged)
	}
	return err
}

func (r records) Delete(ctx context.Context, key string) error {
	return r.store.DeleteRecord(ctx, r.plugin, key)
}

func record(r store.Record) plugins.Record {
	return plugins.Record{Key: r.Key, Value: r.Value, Version: r.Version, Updated: r.Updated}
}
