// Records how CometBFT rotates proposers while powers change: rotation.json, which powers.test.ts replays.
//
//	cp packages/node/test/recorded/recordRotation.go tools/cometbft/ && cd tools/cometbft &&
//	go run -mod=mod recordRotation.go > ../../packages/node/test/recorded/rotation.json; rm recordRotation.go; git checkout .
//
//go:build ignore

package main

import (
	"bytes"
	"encoding/json"
	"math/rand"
	"os"
	"sort"

	"github.com/cometbft/cometbft/crypto/secp256k1eth"
	"github.com/cometbft/cometbft/types"
)

type height struct {
	// The update that the height before the last named: place and power, or null.
	Place *int  `json:"place"`
	Power int64 `json:"power"`
	// Of round 0, by place.
	Priorities []int64 `json:"priorities"`
	// Place of the proposer of rounds 0 to 5.
	Proposers []int `json:"proposers"`
}

type run struct {
	Members int      `json:"members"`
	Heights []height `json:"heights"`
}

func main() {
	random := rand.New(rand.NewSource(11))
	var runs []run
	for _, members := range []int{4, 5, 7, 8, 16} {
		var validators []*types.Validator
		for i := 0; i < members; i++ {
			validators = append(validators, types.NewValidator(secp256k1eth.GenPrivKey().PubKey(), 1000))
		}
		sort.Slice(validators, func(a, b int) bool {
			return bytes.Compare(validators[a].Address, validators[b].Address) < 0
		})
		place := map[string]int{}
		for i, validator := range validators {
			place[string(validator.Address)] = i
		}
		set := types.NewValidatorSet(validators)
		recorded := run{Members: members}
		var changed *int
		var power int64
		lowered := -1
		for i := 0; i < 60; i++ {
			entry := height{Place: changed, Power: power, Priorities: make([]int64, members)}
			for _, validator := range set.Validators {
				entry.Priorities[place[string(validator.Address)]] = validator.ProposerPriority
			}
			rounds := set.Copy()
			for round := 0; round < 6; round++ {
				if round > 0 {
					rounds.IncrementProposerPriority(1)
				}
				entry.Proposers = append(entry.Proposers, place[string(rounds.GetProposer().Address)])
			}
			recorded.Heights = append(recorded.Heights, entry)
			changed, power = nil, 0
			if random.Intn(5) == 0 {
				who := lowered
				power = 1000
				if lowered < 0 {
					who = random.Intn(members)
					power = []int64{1, 500}[random.Intn(2)]
					lowered = who
				} else {
					lowered = -1
				}
				changed = &who
				key := validators[who].PubKey
				if err := set.UpdateWithChangeSet([]*types.Validator{types.NewValidator(key, power)}); err != nil {
					panic(err)
				}
			}
			set.IncrementProposerPriority(1)
		}
		runs = append(runs, recorded)
	}
	if err := json.NewEncoder(os.Stdout).Encode(runs); err != nil {
		panic(err)
	}
}
