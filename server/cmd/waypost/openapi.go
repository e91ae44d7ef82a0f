package main

import (
	"github.com/spf13/cobra"

	"github.com/waypost-dev/waypost/server/api"
)

func (c *cli) openAPI() *cobra.Command {
	return &cobra.Command{
		Use:   "openapi",
		Short: "Print the API's OpenAPI document, for generators of clients",
		Long: `Openapi prints the document that a server has at /openapi.json. It needs no
server, so that clients can be generated while they are built.`,
		Example: `  waypost openapi > openapi.json
  npx openapi-typescript openapi.json -o api.ts`,
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			document, err := api.OpenAPI(buildVersion().Version)
			if err != nil {
				return err
			}
			_, err = c.out.Write(append(document, '\n'))
			return err
		},
	}
}
