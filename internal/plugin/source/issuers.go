package source

import (
	"context"

	"github.com/tokensync/tokensync/internal/oauth"
	"github.com/tokensync/tokensync/internal/resolve"
)

// Issuers asks issuers for their metadata, once each.
type Issuers struct {
	Client *oauth.Client

	known map[oauth.MetadataKey]*oauth.Metadata
}

var _ resolve.Issuers = (*Issuers)(nil)

// Metadata implements resolve.Issuers.
func (i *Issuers) Metadata(ctx context.Context, request oauth.MetadataRequest) (*oauth.Metadata, error) {
	if metadata, ok := i.known[request.Key()]; ok {
		return metadata, nil
	}
	metadata, err := i.Client.Discover(ctx, request)
	if err != nil {
		return nil, err
	}
	if i.known == nil {
		i.known = map[oauth.MetadataKey]*oauth.Metadata{}
	}
	i.known[request.Key()] = metadata
	return metadata, nil
}

// Forget implements resolve.Issuers.
func (i *Issuers) Forget(request oauth.MetadataRequest) { delete(i.known, request.Key()) }
