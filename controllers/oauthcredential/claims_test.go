package oauthcredential

import (
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/tokensync/tokensync/api/v1alpha1"
)

func claimant(name string, age int) *v1alpha1.OAuthCredential {
	return &v1alpha1.OAuthCredential{ObjectMeta: metav1.ObjectMeta{
		Namespace: "web", Name: name, UID: types.UID(name), CreationTimestamp: metav1.NewTime(noon.AddDate(0, 0, -age)),
	}}
}

func noClaims() *claims {
	c := &claims{}
	c.init()
	return c
}

func TestTheOldestClaimHasTheToken(t *testing.T) {
	t.Parallel()
	c := noClaims()
	young, old, oldest := claimant("young", 1), claimant("old", 2), claimant("oldest", 3)
	if older, _ := c.set(young, "key"); older != nil {
		t.Errorf("the only claim is behind %v", older)
	}
	if older, _ := c.set(old, "key"); older != nil {
		t.Errorf("the older claim is behind %v", older)
	}
	if older, _ := c.set(young, "key"); older == nil || older.name.Name != "old" {
		t.Errorf("the younger claim is behind %v, want the older", older)
	}
	c.set(oldest, "key")
	if older, _ := c.set(young, "key"); older == nil || older.name.Name != "oldest" {
		t.Errorf("the youngest claim is behind %v, want the oldest", older)
	}
	if older, _ := c.set(young, "another"); older != nil {
		t.Errorf("a claim on another token is behind %v", older)
	}
}

func TestAnOlderClaimLetsTheYoungerKnow(t *testing.T) {
	t.Parallel()
	c := noClaims()
	young, old := claimant("young", 1), claimant("old", 2)
	if _, concerned := c.set(young, "key"); concerned != nil {
		t.Errorf("the first claim lets %v know", concerned)
	}
	if _, concerned := c.set(old, "key"); len(concerned) != 1 || concerned[0].Name != "young" {
		t.Errorf("the older claim lets %v know", concerned)
	}
	if _, concerned := c.set(old, "key"); concerned != nil {
		t.Errorf("a claim that stands lets %v know", concerned)
	}
}

func TestAClaimThatEndsLetsTheOthersKnow(t *testing.T) {
	t.Parallel()
	c := noClaims()
	young, old := claimant("young", 1), claimant("old", 2)
	c.set(young, "key")
	c.set(old, "key")
	if _, freed := c.set(old, ""); len(freed) != 1 || freed[0].Name != "young" {
		t.Errorf("giving it up lets %v know", freed)
	}
	c.set(old, "key")
	if freed := c.release(old.UID); len(freed) != 1 || freed[0].Name != "young" {
		t.Errorf("being deleted lets %v know", freed)
	}
	if freed := c.release(old.UID); freed != nil {
		t.Errorf("a claim ends twice, for %v", freed)
	}
	c.release(young.UID)
	if len(c.byKey) != 0 || len(c.keys) != 0 {
		t.Error("claims of nobody are kept")
	}
}

func TestClaimsOfTheSameAgeGoByName(t *testing.T) {
	t.Parallel()
	c := noClaims()
	c.set(claimant("a", 1), "key")
	if older, _ := c.set(claimant("b", 1), "key"); older == nil || older.name.Name != "a" {
		t.Errorf("b is behind %v, want a", older)
	}
	if older, _ := c.set(claimant("a", 1), "key"); older != nil {
		t.Errorf("a is behind %v", older)
	}
}
