// Command openbao is the OpenBao server, of the released module, with its transit engine and nothing on disk: what the client of package
// transit is tested against (make test-kms). It is a module of its own, since it is large, and nothing else needs it.
//
//	openbao -listen 127.0.0.1:8200 -cert FILE -key FILE
//
// It begins uninitialised and sealed, as any does, and ends when its standard input does.
package main

import (
	"flag"
	"io"
	"log"
	"net/http"
	"os"

	"github.com/hashicorp/go-hclog"

	"github.com/openbao/openbao/builtin/logical/transit"
	baohttp "github.com/openbao/openbao/http"
	"github.com/openbao/openbao/internalshared/configutil"
	"github.com/openbao/openbao/sdk/v2/helper/consts"
	"github.com/openbao/openbao/sdk/v2/logical"
	"github.com/openbao/openbao/sdk/v2/physical/inmem"
	"github.com/openbao/openbao/vault"
)

func main() {
	listen := flag.String("listen", "127.0.0.1:8200", "address")
	cert := flag.String("cert", "", "certificate, PEM")
	key := flag.String("key", "", "its key, PEM")
	flag.Parse()
	if err := serve(*listen, *cert, *key); err != nil {
		log.Fatal(err)
	}
}

func serve(listen, cert, key string) error {
	quiet := hclog.New(&hclog.LoggerOptions{Level: hclog.Error, Output: os.Stderr})
	memory, err := inmem.NewInmem(nil, quiet)
	if err != nil {
		return err
	}
	core, err := vault.NewCore(&vault.CoreConfig{
		Physical: memory, Logger: quiet, RedirectAddr: "https://" + listen,
		LogicalBackends: map[string]logical.Factory{
			"transit": transit.Factory,
			"kv":      vault.PassthroughBackendFactory, // which a new server mounts
		},
		BuiltinRegistry: plugins{},
	})
	if err != nil {
		return err
	}
	server := http.Server{Addr: listen, Handler: baohttp.Handler.Handler(&vault.HandlerProperties{
		Core: core, ListenerConfig: &configutil.Listener{Address: listen},
	})}
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin) // whoever started it is gone
		os.Exit(0)
	}()
	return server.ListenAndServeTLS(cert, key)
}

// plugins is the list of what can be mounted.
type plugins struct{}

func (plugins) Contains(name string, kind consts.PluginType) bool {
	return name == "transit" && kind == consts.PluginTypeSecrets
}

func (p plugins) Get(name string, kind consts.PluginType) (func() (any, error), bool) {
	return func() (any, error) { return logical.Factory(transit.Factory), nil }, p.Contains(name, kind)
}

func (plugins) Keys(kind consts.PluginType) []string {
	if kind != consts.PluginTypeSecrets {
		return nil
	}
	return []string{"transit"}
}

func (p plugins) DeprecationStatus(name string, kind consts.PluginType) (consts.DeprecationStatus, bool) {
	return consts.Supported, p.Contains(name, kind)
}
